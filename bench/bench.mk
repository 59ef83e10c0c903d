# bench.mk -- what is measured against others, in turn in one run. ROUNDS=N: other than 9.
BENCH := build/bench

.PHONY: bench-load bench-evaluator bench-trials bench-workers bench-search
bench-load: $(ZOO_PROBE) $(PEERS_LIBRARY) | peers-debian
	OUT=$(OUT) $(ZOO_NODE) $(PEERS_PYTHON) bench/load.py $(BENCH)

bench-evaluator: $(OUT)/pare-worker $(OUT)/bench/runner $(PEERS_LIBRARY) | peers-debian
	OUT=$(OUT) NODE_PATH=$(PEERS)/node_modules PYTHONDONTWRITEBYTECODE=1 \
		$(PEERS_PYTHON) bench/evaluator.py $(BENCH)/candidates $(ROUNDS)

$(OUT)/bench/runner: $(OUT)/bench/runner.o $(call archives,evaluator base)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(call libraries,evaluator base) -o $@

bench-trials: $(OUT)/pare-worker $(OUT)/bench/runner | peers-debian
	OUT=$(OUT) PYTHONDONTWRITEBYTECODE=1 $(PEERS_PYTHON) bench/trials.py $(ROUNDS)

bench-workers: all
	OUT=$(OUT) PYTHONDONTWRITEBYTECODE=1 $(PEERS_PYTHON) bench/workers.py $(BENCH)/workers $(ROUNDS)

# Resumes where it was cut off. STRATEGIES, NETS, COSTS, SEEDS narrow it; CHECK=constraints, warm or scale does more.
bench-search: all | peers-debian
	OUT=$(OUT) PYTHONDONTWRITEBYTECODE=1 $(PEERS_PYTHON) bench/search.py $(BENCH)/search
