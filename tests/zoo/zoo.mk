# zoo.mk -- make zoo: torchvision's classifiers, hand-written networks and single operators, compared with ONNX Runtime.
ZOO       ?= *
ZOO_NODE  := NODE_PATH=$(PEERS)/node_modules PYTHONDONTWRITEBYTECODE=1
ZOO_PROBE := $(OUT)/tests/zoo-probe

.PHONY: zoo zoo-nets zoo-operators zoo-candidates zoo-debian
zoo: $(OUT)/pare-worker $(ZOO_PROBE) $(PEERS_LIBRARY) zoo-debian $(if $(filter *,$(ZOO)),zoo-nets zoo-operators)
	OUT=$(OUT) $(ZOO_NODE) $(PEERS_PYTHON) tests/zoo/zoo.py build/zoo/$(MODE) '$(ZOO)'

zoo-nets: $(OUT)/pare-worker $(ZOO_PROBE) $(PEERS_LIBRARY) | peers-debian
	OUT=$(OUT) $(ZOO_NODE) $(PEERS_PYTHON) tests/zoo/compare_nets.py build/zoo/$(MODE)/nets
check-peers: zoo-nets zoo-operators

# Every operator by itself, in every form.
zoo-operators: $(ZOO_PROBE) $(PEERS_LIBRARY) | peers-debian
	OUT=$(OUT) $(ZOO_NODE) $(PEERS_PYTHON) tests/zoo/compare_operators.py build/zoo/$(MODE)/operators

# Two thousand random candidates of twenty architectures.
zoo-candidates: $(OUT)/pare-worker $(ZOO_PROBE) $(PEERS_LIBRARY) zoo-debian
	OUT=$(OUT) $(ZOO_NODE) $(PEERS_PYTHON) tests/zoo/candidates.py build/zoo/$(MODE)

$(ZOO_PROBE): $(OUT)/tests/zoo/probe.o $(call archives,evaluator base)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $^ $(call libraries,evaluator base) -o $@

zoo-debian: | peers-debian
	@$(PEERS_PYTHON) -c 'import torchvision' 2>/dev/null || \
		{ $(PEERS_SUDO) apt-get update; $(PEERS_INSTALL) python3-torchvision; }
