#!/usr/bin/env bash
# Builds and tests this module with the client of this repository. Needs Java 17, Maven, a container engine, and the image tallystick/dev
# (deploy/dev-image/build.sh builds it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Ryuk, the container that cleans up after testcontainers, would have to be pulled.
export TESTCONTAINERS_RYUK_DISABLED=true
# A repository of our own: the client of this tree is installed for nobody else.
export MAVEN_OPTS="${MAVEN_OPTS-} -Dmaven.repo.local=${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/testcontainers-java"
mvn -q -B -f ../../openapi/clients/java/pom.xml install -DskipTests
mvn -q -B verify
