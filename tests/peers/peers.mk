# peers.mk -- make check-peers: the same networks in ONNX Runtime (npm) and PyTorch (Debian), compared with ours.
# What it installs goes to Debian's packages and build/peers; PEERS_PYTHON must be the Python of those packages.
PEERS         := build/peers
PEERS_PYTHON  ?= /usr/bin/python3
PEERS_SUDO    := $(if $(filter-out 0,$(shell id -u)),sudo)
PEERS_INSTALL := $(PEERS_SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends
PEERS_CPU     := $(if $(filter aarch64,$(shell uname -m)),arm64,x64)
PEERS_LIBRARY := $(PEERS)/node_modules/onnxruntime-node/bin/napi-v6/linux/$(PEERS_CPU)/libonnxruntime.so.1

.PHONY: check-peers peers-debian
check-peers: $(OUT)/pare-worker $(OUT)/tests/peers-candidates $(PEERS_LIBRARY) | peers-debian
	OUT=$(OUT) NODE_PATH=$(PEERS)/node_modules PYTHONDONTWRITEBYTECODE=1 \
		$(PEERS_PYTHON) tests/peers/compare.py $(PEERS)/$(MODE)

$(OUT)/tests/peers-candidates: $(OUT)/tests/peers/candidates.o $(call archives,evaluator base)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $^ $(call libraries,evaluator base) -o $@

# Asks for what is missing and nothing else: where all is there the comparison needs no network.
peers-debian:
	@set -e; wanted=; \
	$(PEERS_PYTHON) -c 'import numpy, onnx, optuna, torch' 2>/dev/null || \
		wanted='python3-numpy python3-onnx python3-optuna python3-torch'; \
	command -v node >/dev/null || wanted="$$wanted nodejs"; \
	command -v npm >/dev/null || wanted="$$wanted npm"; \
	test -z "$$wanted" || { $(PEERS_SUDO) apt-get update; $(PEERS_INSTALL) $$wanted; }

# Install scripts stay off: they download what only other processors need. The CPU's library is in the package itself.
$(PEERS_LIBRARY): tests/peers/package.json tests/peers/package-lock.json | peers-debian
	@mkdir -p $(PEERS)
	cp $^ $(PEERS)/
	cd $(PEERS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@test -f $@ || { echo '$@: is not in the package onnxruntime-node' >&2; exit 1; }
	@touch $@
