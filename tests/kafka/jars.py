"""Apache Kafka's jars from Maven Central, kept in the user's cache, and the Java that runs them."""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

VERSION = "4.1.0"
OLDEST_JAVA = 17  # brokers since 4.0 need it

# Kafka's pom brings no logger, and a broker that fails in silence cannot be helped.
POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>driftline</groupId>
  <artifactId>test-broker</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""


class NoBrokerError(Exception):
    """One way to a broker is closed; the text says why, in one line."""


def cache_folder(environ):
    """Give the folder that outlives the checkout."""
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "driftline"


def kafka_jars(cache):
    """Give the folder of the jars; the first call of a machine downloads 43 MB."""
    jars = cache / f"kafka-{VERSION}"
    if jars.is_dir():
        return jars
    maven = shutil.which("mvn")
    if maven is None:
        raise NoBrokerError("no Maven (mvn) to fetch Apache Kafka with")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Maven's own store is not for two at once
        if not jars.is_dir():
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                _download(maven, Path(folder))
                (Path(folder) / "jars").rename(jars)  # whole or not at all
    return jars


def _download(maven, folder):
    (folder / "pom.xml").write_text(POM, encoding="utf-8")
    goal = ["dependency:copy-dependencies", "-DoutputDirectory=jars", "-DincludeScope=runtime"]
    done = subprocess.run(
        [maven, "-q", "-B", *goal], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[:1] or ["no output"]
        raise NoBrokerError(f"Maven cannot fetch Apache Kafka: {last[0]}")


def java(environ):
    """Give the path of a Java that is new enough."""
    home = environ.get("JAVA_HOME")
    path = shutil.which("java", path=os.path.join(home, "bin") if home else None)  # noqa: PTH118
    if path is None:
        raise NoBrokerError("no Java to run Apache Kafka on")
    done = subprocess.run([path, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', done.stderr)
    if found is None or int(found[1]) < OLDEST_JAVA:
        raise NoBrokerError(f"{path} is older than Java {OLDEST_JAVA}")
    return path
