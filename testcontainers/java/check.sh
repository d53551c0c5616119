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

# The artifacts as they are published, from a repository in a folder: the test of README.md runs in a project of its own, which has them
# from there alone.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's|^  <version>\(.*\)</version>$|\1|p' pom.xml)
junit=$(sed -n 's|.*<junit.version>\(.*\)</junit.version>|\1|p' pom.xml)
for folder in ../../openapi/clients/java .; do
	mvn -q -B -f "$folder/pom.xml" deploy -DskipTests -DaltDeploymentRepository="check::file://$work/repository"
done
for kind in '' -sources -javadoc; do
	[ -e "$work/repository/io/github/tallystick/tallystick-testcontainers/$version/tallystick-testcontainers-$version$kind.jar" ]
done
mkdir -p "$work/clean/src/test/java"
cat >"$work/clean/pom.xml" <<END
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId>
  <artifactId>billing</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <repositories>
    <repository>
      <id>check</id>
      <url>file://$work/repository</url>
    </repository>
  </repositories>
  <dependencies>
$(awk '/^```xml$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' README.md)
    <dependency>
      <groupId>org.junit.jupiter</groupId>
      <artifactId>junit-jupiter</artifactId>
      <version>$junit</version>
      <scope>test</scope>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <artifactId>maven-surefire-plugin</artifactId>
        <version>3.5.4</version>
      </plugin>
    </plugins>
  </build>
</project>
END
{
	printf 'import io.github.tallystick.testcontainers.*;\nimport java.util.*;\nimport org.junit.jupiter.api.Test;\n'
	awk '/^```java$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' README.md | sed "s|tallystick/dev:$version|tallystick/dev|"
} >"$work/clean/src/test/java/BillingTest.java"
# What was installed above is not to be found: a project of somebody else's has what is published.
rm -rf "${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/testcontainers-java/io/github/tallystick"
mvn -B -f "$work/clean/pom.xml" test | tee "$work/output"
grep -q '"sum":"12"' "$work/output" || { echo 'the test of README.md counted no 12 where the artifacts are published' >&2; exit 1; }
