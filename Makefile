# What one does with this repository; `make help` lists it. Go is all that most targets need: PostgreSQL is found or
# downloaded, and the tools are built from the versions that tools/go.mod pins.

TOOL := go tool -modfile=tools/go.mod
SPEC := openapi/openapi.yaml
REFERENCE := docs/cli-reference.md
# More flags for the commands, as in: make demo DEMO_FLAGS='--exit --listen 127.0.0.1:8081'
DEMO_FLAGS ?=
DEV_FLAGS ?=
BENCH_FLAGS ?=
TEST_FLAGS ?= -timeout 25m
# Packages whose tests run at once: they wait for disks, processes and timers for a good part of their time.
AT_ONCE := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

# A program with the race detector sleeps for a second before it ends. Tests start many, and those of goroutines that live on look
# themselves.
export GORACE := atexit_sleep_ms=0

.DEFAULT_GOAL := help
.PHONY: help demo dev build test test-hard test-database test-containers kits-check bench bench-kafka lint vulnerabilities \
	generate generated check release image dev-image deploy-check

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## replay a real trace, check the totals, and serve until Ctrl-C
	bin/tally demo $(DEMO_FLAGS)

dev: build ## serve with a PostgreSQL of its own
	bin/tally dev $(DEV_FLAGS)

build: ## build bin/tally
	go build -o bin/tally ./cmd/tally

release: ## build archives for Linux and macOS into bin/release, with their SHA-256
	tools/build-release.sh --all bin/release

IMAGE ?= localhost/tallystick:local

image: ## build the container image IMAGE from a program built here; pulls nothing
	deploy/image/build.sh $(IMAGE)

DEV_IMAGE ?= tallystick/dev:local

dev-image: ## build the image for development DEV_IMAGE, with PostgreSQL 18 inside; pulls nothing
	deploy/dev-image/build.sh $(DEV_IMAGE) "$$(tools/postgres-tree.sh 18)"

.PHONY: site
site: ## build the documentation site into bin/site; needs Node 20
	tools/site/build.sh bin/site

.PHONY: test-testcontainers
test-testcontainers: ## test the modules that start the image for development, DEV_IMAGE, with a container engine
	docker tag $(DEV_IMAGE) tallystick/dev
	go -C testcontainers test -race -count=1 -timeout 9m ./...
	timeout 9m testcontainers/check-module.sh
	for check in testcontainers/*/check.sh; do timeout 9m $$check || exit; done

deploy-check: ## check compose.yaml, the Kubernetes manifests and the systemd unit
	tools/check-deploy.sh

# Nothing runs side by side in these packages: the race detector would say nothing, and take ten times as long. They come first, since the
# views that they compile, twenty times as fast, are compiled for the others too.
SERIAL := $(addprefix github.com/tallystick/tallystick/internal/,framing gas jsonscan otlp wasmbin) github.com/tallystick/tallystick/views

test: ## run all tests, on this machine's PostgreSQL or a downloaded one
	go test $(TEST_FLAGS) $(SERIAL)
	go test -run '^(TestBombs|TestHostileModulesAreContained|TestGasIsHonest|TestGoGuest)$$' $(TEST_FLAGS) ./internal/wasm
	TALLY_TEST_POSTGRES=local go test -race -p $(AT_ONCE) $(TEST_FLAGS) $(filter-out $(SERIAL),$(shell go list ./...))
	TALLY_TEST_POSTGRES=local go -C openapi/clients/go test -race $(TEST_FLAGS) ./...
	go -C internal/testdb/container test -race $(TEST_FLAGS) ./...
	TALLY_TEST_POSTGRES=local go -C tools/kafka test -race $(TEST_FLAGS) ./...
	TALLY_TEST_POSTGRES=local go -C tools/promcheck test -race $(TEST_FLAGS) ./...
	TALLY_TEST_POSTGRES=local go -C tools/gatewayclients test -race $(TEST_FLAGS) ./...

HARD_ROUNDS ?= 10
HARD_PACKAGES ?=

test-hard: ## run all tests (or HARD_PACKAGES) HARD_ROUNDS times, shuffled, while something else keeps every core busy
	exec env TALLY_TEST_POSTGRES=local HARD_ROUNDS=$(HARD_ROUNDS) HARD_PACKAGES='$(HARD_PACKAGES)' tools/test-hard.sh $(TEST_FLAGS)

SOAK ?= 1h
.PHONY: soak
soak: ## have one tenant misbehave beside another for an hour, or SOAK=10m
	TALLY_TEST_POSTGRES=local TALLY_SOAK=$(SOAK) go test -race -count=1 -timeout 0 -v -run '^TestTwoTenants$$' ./internal/server

HAMMER ?= 10m
.PHONY: hammer
hammer: ## have clients of servers that fail race for what guards admit for ten minutes, or HAMMER=1h
	TALLY_TEST_POSTGRES=local TALLY_HAMMER=$(HAMMER) go test -race -count=1 -timeout 0 -v -run '^TestGuardHammer$$' ./internal/server

# What a change of PostgreSQL could make fail.
DATABASE_PACKAGES := ./cmd/tally $(addprefix ./internal/, \
	access alert analyst api db demo eventlog ingest intake limits live postgres server testdb verify view webhook)
DATABASE ?= local
# Tests of this module know nothing of containers: this program, of a module of its own, starts them.
SERVER_container := $(CURDIR)/bin/testserver
SERVER_local := local

.PHONY: test-server-local test-server-container
test-server-local:
test-server-container:
	go -C internal/testdb/container build -o $(SERVER_container) ./server

# RACE= leaves the race detector out, which .ci/run does: what runs side by side in Go is the same on every PostgreSQL.
RACE ?= -race

test-database: test-server-$(DATABASE) ## run the tests that need PostgreSQL; DATABASE=container for one in a container
	TALLY_TEST_POSTGRES=$(SERVER_$(DATABASE)) go test $(RACE) $(TEST_FLAGS) $(DATABASE_PACKAGES)

test-containers: test-server-container ## run all tests, on PostgreSQL in a container
	TALLY_TEST_POSTGRES=$(SERVER_container) go test -race $(TEST_FLAGS) ./...

DASHBOARD := internal/dashboard/app

.PHONY: dashboard dashboard-check test-dashboard
dashboard: dashboard-modules ## build the dashboard's files that are part of the program; needs Node 20
	cd $(DASHBOARD) && npm run --silent build

# The tests of the dashboard use the TypeScript SDK as it is published.
.PHONY: dashboard-modules
dashboard-modules:
	cd $(CLIENTS)/typescript && $(NPM_CI) && npm run --silent build
	cd $(DASHBOARD) && $(NPM_CI)

dashboard-check: dashboard-modules ## check the dashboard's sources, and that its built files are theirs
	cd $(DASHBOARD) && npm run --silent lint && OUT=$(CURDIR)/bin/dashboard npm run --silent build
	diff -r bin/dashboard internal/dashboard/dist

test-dashboard: build dashboard-modules ## try the dashboard in Chromium; pictures of its pages come to bin/screenshots
	cd $(DASHBOARD) && TALLY_BINARY=$(CURDIR)/bin/tally npm run --silent e2e

.PHONY: bench-dashboard
bench-dashboard: build dashboard-modules ## measure the dashboard in Chromium: first paints, charts, scrolling, layout shifts
	cd $(DASHBOARD) && TALLY_BINARY=$(CURDIR)/bin/tally npm run --silent bench

.PHONY: dashboard-picture
dashboard-picture: build dashboard-modules ## take the picture of the dashboard in README.md anew
	cd $(DASHBOARD) && TALLY_BINARY=$(CURDIR)/bin/tally npm run --silent e2e -- picture
	install -D -m 644 bin/screenshots/readme.png docs/images/dashboard.png

CLIENTS := openapi/clients
CONFORMANCE = go run ./$(CLIENTS)/conformance --tally bin/tally
NPM_CI := npm ci --silent --no-audit --no-fund
PYTHON_BIN = $(shell $(CLIENTS)/python/venv.sh)

.PHONY: test-clients test-client-go test-client-python test-client-typescript test-client-java
test-clients: test-client-go test-client-python test-client-typescript test-client-java ## test SDKs; see CONTRIBUTING.md

test-client-go: build ## try what of the Go SDK make test leaves out: the cases that all SDKs must pass, and its README
	$(CONFORMANCE) --user-agent tally-go/ --dir $(CLIENTS)/go -- go test -count=1 -run '^TestConformance$$' .
	timeout 10m $(CLIENTS)/go/check-readme.sh

test-client-python: build ## test the Python SDK
	$(CLIENTS)/python/check.sh
	for kind in sync async; do PYTHONPATH=$(CURDIR)/$(CLIENTS)/python/src TALLY_CONFORMANCE=$$kind $(CONFORMANCE) \
		--user-agent tally-python/ --dir $(CLIENTS)/python -- $(PYTHON_BIN)/python -m pytest -q tests/conformance || exit; done

test-client-typescript: build ## test the TypeScript SDK
	cd $(CLIENTS)/typescript && $(NPM_CI) && npm run --silent lint && TALLY_BINARY=$(CURDIR)/bin/tally npm test --silent
	$(CONFORMANCE) --user-agent tally-typescript/ --dir $(CLIENTS)/typescript -- npm run --silent conformance

test-client-java: build ## test the Java SDK
	TALLY_BINARY=$(CURDIR)/bin/tally mvn -q -B -f $(CLIENTS)/java/pom.xml verify
	$(CONFORMANCE) --user-agent tally-java/ --dir $(CLIENTS)/java -- mvn -q -B test -Dtest=ConformanceTest
	$(CLIENTS)/java/check-readme.sh $(CURDIR)/bin/tally

GATEWAYS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tallystick/gateways

.PHONY: install-gateways test-gateways
install-gateways: ## install the gateways that make test-gateways runs, but for nginx and syslog-ng
	tools/gateways/install.sh '$(GATEWAYS)'

test-gateways: build ## count what real gateways send through outages; needs nginx, syslog-ng and Python 3, installs the others
	tools/gateways/install.sh '$(GATEWAYS)'
	TALLY_TEST_POSTGRES=local TALLY_GATEWAYS='$(GATEWAYS)' go -C tools/gateways test -race -count=1 -parallel 4 -timeout 9m -v ./...

FROM ?=
.PHONY: upgrade-check
upgrade-check: ## replace a server of the newest tag, or of the commit FROM, by this version while clients go on
	tools/upgrade-check.sh $(FROM)

kits-check: build ## build and test a view in each language, as `tally view new` writes it; tools that are missing leave it out
	views/check-kits.sh

FUZZ_SECONDS ?= 60
.PHONY: fuzz-api
fuzz-api: ## ask a server what schemathesis makes up from openapi.yaml, for FUZZ_SECONDS
	tools/lint-openapi/fuzz.sh $(FUZZ_SECONDS)

.PHONY: check-generators lint-openapi
check-generators: ## have clients that the usual generators make append events whose members nobody declared; needs Java, mvn, Node, Python
	tools/generators/check.sh

lint-openapi: ## lint openapi.yaml, and look for changes that break clients of the newest tag; needs Node
	tools/lint-openapi/lint.sh
	tools/lint-openapi/breaking.sh
	go -C tools/lint-openapi test ./...

bench: build ## measure appends and queries beside hand-written SQL
	bin/tally bench $(BENCH_FLAGS)

KAFKA := bin/kafka

bench-kafka: build ## measure beside a pipeline of Kafka and counters in PostgreSQL; needs Java 17 and mvn
	mvn -q -B -f tools/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(KAFKA)/lib
	go -C tools/kafka build -o $(CURDIR)/$(KAFKA)/kafka .
	timeout 60m bin/tally bench --kafka $(KAFKA) $(BENCH_FLAGS)

MODULES := openapi/clients/go testcontainers internal/testdb/container \
	$(addprefix tools/,gatewayclients gateways kafka lint-openapi manifests promcheck)
LINT := go tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run

lint: ## look for mistakes and breaches of the house rules
	go vet ./...
	$(TOOL) golangci-lint run
	for module in $(MODULES); do go -C $$module vet ./... && (cd $$module && $(LINT)) || exit; done

vulnerabilities: ## look for known vulnerabilities in what the code calls; fetches the newest database
	tools/vulnerabilities.sh

generate: ## write anew what is generated: queries, openapi.yaml, the reference of commands, views
	$(TOOL) sqlc generate
	go run ./cmd/tally openapi > $(SPEC).new && mv $(SPEC).new $(SPEC)
	go run ./cmd/tally man --markdown > $(REFERENCE).new && mv $(REFERENCE).new $(REFERENCE)
	$(MAKE) -C views

.PHONY: generate-clients generated-clients
generate-clients: ## write the types of the SDKs anew, from openapi.yaml; needs what test-clients does
	$(CLIENTS)/python/generate.sh
	cd $(CLIENTS)/typescript && $(NPM_CI) && npm run --silent generate
	$(CLIENTS)/java/generator/generate.sh

generated-clients: ## prove that the types of the SDKs are up to date
	$(CLIENTS)/python/generate.sh --check
	cd $(CLIENTS)/typescript && $(NPM_CI) && npm run --silent check
	$(CLIENTS)/java/generator/generate.sh --check

generated: ## prove that what is generated is up to date
	go mod tidy -diff
	for module in $(MODULES) tools/gateways/benthos tools/gateways/otelcol; do go -C $$module mod tidy -diff || exit; done
	$(TOOL) sqlc diff
	go run ./cmd/tally openapi | diff -u $(SPEC) - || \
		{ echo '$(SPEC) is not what the API says: run make generate and commit it' >&2; exit 1; }
	go run ./cmd/tally man --markdown | diff -u $(REFERENCE) - || \
		{ echo '$(REFERENCE) is not what the commands say: run make generate and commit it' >&2; exit 1; }
	$(MAKE) -C views check

check: lint generated test ## everything that must hold before a change lands
