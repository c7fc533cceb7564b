#!/usr/bin/env bash
# Tells Spark which GPUs a machine has: spark.executor.resource.gpu.discoveryScript=.../conf/gpus.sh
set -euo pipefail

indices=$(nvidia-smi --query-gpu=index --format=csv,noheader,nounits)
addresses=
for index in $indices; do
  addresses+="${addresses:+, }\"$index\""
done
echo "{\"name\": \"gpu\", \"addresses\": [$addresses]}"
