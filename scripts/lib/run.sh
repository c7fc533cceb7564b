#!/usr/bin/env bash
# Runs a verb under spark-submit: run.sh MODULE MAIN_CLASS [--conf FILE] [key=value ...]
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/spark-home.sh"
module=$1
main=$2
shift 2

export LATENTSPARK_HOME=$root

app_jar() { find "$root/$module/target" -maxdepth 1 -name "$module-*-app.jar" 2>/dev/null | head -n 1; }

build() {
  say "building the application jars with Maven; the first time takes minutes, mostly downloads"
  (cd "$root" && mvn -B -q -DskipTests -Dspotless.check.skip package) >&2
}

build_once() { [[ -n $(app_jar) ]] || build; }

with_spark_home build_once

jar=$(app_jar)
if [[ -n $(find "$root"/pom.xml "$root"/*/pom.xml "$root"/*/src/main -newer "$jar" -print -quit) ]]; then
  say "note: ${jar#"$root/"} is older than the sources; mvn -DskipTests package builds it anew"
fi

for argument in "$@"; do
  if [[ $argument == --help || $argument == -h ]]; then
    "$java" -cp "$jar:$SPARK_HOME/jars/*" "$main" --help
    cat << 'HELP'

Environment:
  SPARK_HOME                 Spark 3.5 for Scala 2.12; without it one is assembled in target/spark-home.
  LATENTSPARK_MASTER         Spark master; else that of spark-defaults.conf, else local[*] for prep
                             and local[2] (two workers) for the other verbs.
  LATENTSPARK_DEPLOY_MODE    cluster: the driver runs on the cluster; else client: here.
  LATENTSPARK_SPARK_CONF     Files of Spark's settings, such as "conf/spark/common.conf conf/spark/yarn.conf";
                             they win over spark-defaults.conf, and later ones over earlier ones.
  LATENTSPARK_DRIVER_MEMORY  Java heap of the driver, 3g by default; tensors live outside of it.
  LATENTSPARK_SPARK_ARGS     More arguments of spark-submit, such as "--conf spark.executor.memory=8g".
  LATENTSPARK_TRACE          1 shows the stack trace of a failure.
  LATENTSPARK_RUN_ID         Name of the run in logs and records; else one of time and chance.
  LATENTSPARK_LOG_FORMAT     json makes each line of the driver's log a JSON object.

Exit codes: 0 done; 2 bad usage or configuration; 3 bad input data; 4 another run holds the output;
1 anything else. From cluster deploy mode only 0 and 1 come back, except on Kubernetes, where the
driver's pod has it; docs/cluster.md.
HELP
    exit 0
  fi
done

# DL4J would ask a time server; JavaCPP would count libtorch's memory against the Java heap.
options="-Dorg.deeplearning4j.spark.time.TimeSource=org.deeplearning4j.spark.time.SystemClockTimeSource"
options+=" -Dorg.bytedeco.javacpp.maxPhysicalBytes=0"
# Log lines of Spark's own threads name the run, too.
options+=" -Dlog4j2.isThreadContextMapInheritable=true"
executor_options=$options
if [[ $module == training-job ]]; then
  # Workers make little Java garbage. A small young generation is touched whole within the first
  # steps, so that an executor's resident memory shows early what it will be.
  executor_options+=" -XX:+UseSerialGC -Xmn64m"
fi
# Tasks are the parallelism: one thread of OpenMP each, unless the environment says otherwise.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
# A heap of malloc's for each thread would keep what tensors gave back.
export MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-4}
# Vectors of a model's length go back at once; left to itself malloc learns to keep some of them.
export MALLOC_MMAP_THRESHOLD_=${MALLOC_MMAP_THRESHOLD_:-16777216}
export MALLOC_TRIM_THRESHOLD_=${MALLOC_TRIM_THRESHOLD_:-268435456}
# A line for each damaged image would bury all others; the accounting has them.
export OPENCV_LOG_LEVEL=${OPENCV_LOG_LEVEL:-SILENT}

open_settings << SETTINGS
spark.driver.memory 3g
spark.executor.defaultJavaOptions $executor_options
spark.executorEnv.OMP_NUM_THREADS $OMP_NUM_THREADS
spark.executorEnv.MALLOC_ARENA_MAX $MALLOC_ARENA_MAX
spark.executorEnv.MALLOC_MMAP_THRESHOLD_ $MALLOC_MMAP_THRESHOLD_
spark.executorEnv.MALLOC_TRIM_THRESHOLD_ $MALLOC_TRIM_THRESHOLD_
spark.executorEnv.OPENCV_LOG_LEVEL $OPENCV_LOG_LEVEL
spark.ui.showConsoleProgress false
SETTINGS

submit=(--class "$main" --name "${main##*.}" --properties-file "$settings"
  --conf spark.dynamicAllocation.enabled=false)
master=${LATENTSPARK_MASTER:-$(setting spark.master)}
if [[ -z $master ]]; then
  [[ $module == data-prep ]] && master='local[*]' || master='local[2]'
  submit+=(--conf spark.ui.enabled=false)
  export SPARK_LOCAL_IP=${SPARK_LOCAL_IP:-127.0.0.1} OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
fi
mode=${LATENTSPARK_DEPLOY_MODE:-$(setting spark.submit.deployMode)}
mode=${mode:-client}
[[ $mode == client || $mode == cluster ]] || refuse "LATENTSPARK_DEPLOY_MODE=$mode: must be client or cluster"
submit+=(--master "$master" --deploy-mode "$mode")

# Processes of a cluster work in folders of their own. For a standalone cluster, paths of this machine
# are told whole: those that exist, and those that a verb makes. A driver of cluster mode on YARN or
# Kubernetes gets configuration files sent and finds them beside it.
arguments=() sent=() last=
for argument in "$@"; do
  name=${argument%%=*} value=${argument#*=}
  if [[ $last == --conf ]]; then
    name=--conf prefix=
  elif [[ $argument == *=* ]]; then
    prefix=$name=
  else
    name= prefix=
  fi
  if [[ $master == spark:* && $value != /* && $value != *://* ]]; then
    if [[ $name == output || $name == models || ( -n $name && -e $value ) ]]; then
      value=$PWD/$value
    fi
  elif [[ $master != local* && $mode == cluster && $name == *-conf && -f $value ]]; then
    sent+=("$value")
    value=${value##*/}
  fi
  arguments+=("$prefix$value")
  last=$argument
done
((${#sent[@]} == 0)) || submit+=(--files "$(IFS=, && echo "${sent[*]}")")

# A driver that a standalone cluster starts gets no other options than these.
submit+=(--driver-java-options "${opens[*]} $options $(setting spark.driver.extraJavaOptions)")
memory=${LATENTSPARK_DRIVER_MEMORY:-$(setting spark.driver.memory)}
read -ra more <<< "${LATENTSPARK_SPARK_ARGS:-}"
submit+=(--driver-memory "$memory" "${more[@]}" "$jar" "${arguments[@]}")

logging=-Dlog4j2.configurationFile=$root/scripts/lib/log4j2.properties
if [[ -z $assembled ]]; then
  command=("$SPARK_HOME/bin/spark-submit")
else
  read -ra properties <<< "$options"
  command=("$java" "-Xmx$memory" "${opens[@]}" "${properties[@]}" "$logging"
    -cp "$SPARK_HOME/conf:$SPARK_HOME/jars/*" org.apache.spark.deploy.SparkSubmit)
fi

if [[ $mode == client || $master != spark:* ]]; then
  exec "${command[@]}" "${submit[@]}"
fi

# Whatever becomes of a driver on a standalone cluster, spark-submit ends with 0; its log tells.
export SPARK_SUBMIT_OPTS="${SPARK_SUBMIT_OPTS:-} $logging"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"${command[@]}" "${submit[@]}" 2>&1 | tee "$log" >&2
if grep -Eq 'State of driver .* is (ERROR|FAILED|KILLED), exiting' "$log"; then
  say "the driver failed; its log is stderr in its folder under that machine's work directory"
  exit 1
fi
