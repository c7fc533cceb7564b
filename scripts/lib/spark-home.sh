# Finds or assembles Spark; to be sourced. Sets root, java, assembled, SPARK_HOME.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
assembled=

say() { echo "latentspark: $*" >&2; }

# Ends with the exit code of bad usage.
refuse() {
  say "$1"
  exit 2
}

assemble_spark_home() {
  local part
  part=$(mktemp -d "$root/target/spark-home.XXXXXX")
  say "SPARK_HOME is not set: assembling Spark in target/spark-home"
  mvn -B -q -f "$root/scripts/lib/spark-home.pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$part/jars" >&2
  mkdir "$part/conf"
  cp "$root/scripts/lib/log4j2.properties" "$part/conf/"
  chmod 755 "$part"
  mv -T "$part" "$root/target/spark-home"
}

# Runs a command, and then sees to SPARK_HOME; one process builds while the others wait.
with_spark_home() {
  mkdir -p "$root/target"
  exec 9> "$root/target/.build.lock"
  flock 9
  "$@"
  if [[ -z ${SPARK_HOME:-} ]]; then
    [[ -d $root/target/spark-home ]] || assemble_spark_home
    assembled=yes
    export SPARK_HOME=$root/target/spark-home SPARK_SCALA_VERSION=2.12
  fi
  exec 9>&-
}

# Spark's settings, as a path that this process and its children can read: see open_settings.
settings=/proc/self/fd/8

# Puts Spark's settings together, of which the later win: the standard input, spark-defaults.conf,
# the files of LATENTSPARK_SPARK_CONF. They may hold secrets, so the file that they come into has no
# name any more when this returns.
open_settings() {
  local file files merged
  read -ra files <<< "${LATENTSPARK_SPARK_CONF:-}"
  for file in "${files[@]}"; do
    [[ -f $file ]] || refuse "LATENTSPARK_SPARK_CONF: $file is no file"
  done
  merged=$(mktemp "$root/target/settings.XXXXXX")
  exec 8< "$merged"
  {
    cat
    for file in "${SPARK_CONF_DIR:-$SPARK_HOME/conf}/spark-defaults.conf" "${files[@]}"; do
      [[ ! -f $file ]] || { echo && cat "$file"; }
    done
  } > "$merged"
  rm "$merged"
}

# Prints the value of one of Spark's settings, nothing where there is none.
setting() {
  sed -nE "s/^[[:space:]]*${1//./\\.}([[:space:]]+|[[:space:]]*[=:][[:space:]]*)//p" "$settings" | tail -n 1
}

# What Spark needs of Java 17.
opens=()
for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util \
  java.util.concurrent java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action \
  sun.util.calendar; do
  opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
