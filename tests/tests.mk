# tests.mk -- one test program a part: tests/PART/*.c linked with that part and what it may know; then the whole, end to end.
UNIT_PARTS := $(foreach p,$(PARTS),$(if $(wildcard tests/$(p)/*.c),$(p)))
base_TEST      := base
store_TEST     := store base
search_TEST    := search base
evaluator_TEST := evaluator search base
daemon_TEST    := daemon store search base
client_TEST    := client base

# Some tests run the programs themselves.
client_NEEDS := $(OUT)/pare
daemon_NEEDS := $(OUT)/pared

# One thread a process, as workers run, and no other choice of kernels than theirs.
TEST_ENV := OUT=$(OUT) OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

define unit
$(OUT)/tests/test-$(1): $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/$(1)/*.c)) $(call archives,$($(1)_TEST))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(CC) $$(CFLAGS) $$^ -lcheck -lsubunit -lrt -lpthread $(call libraries,$($(1)_TEST)) -o $$@
.PHONY: check-$(1)
check-$(1): $(OUT)/tests/test-$(1) | $($(1)_NEEDS)
	$$(call say,TEST,$(1))
	$(Q)$(TEST_ENV) $(OUT)/tests/test-$(1)
endef
$(foreach p,$(UNIT_PARTS),$(eval $(call unit,$(p))))

$(patsubst %.c,$(OUT)/%.o,$(wildcard tests/evaluator/*.c tests/peers/*.c)): | $(OUT)/gen/onnx.pb-c.c

.PHONY: check check-man check-systemd check-e2e
check-man:
	$(Q)mandoc -Tlint -W warning docs/man/*.[158]

check-systemd: all
	$(Q)tests/systemd.sh $(OUT)

check-e2e: all
	$(Q)$(TEST_ENV) tests/e2e.sh

check: all layers check-man $(addprefix check-,$(UNIT_PARTS)) check-systemd check-e2e
