# tests.mk -- one test program a part: tests/PART/*.c linked with that part and what it may know.
UNIT_PARTS := $(foreach p,$(PARTS),$(if $(wildcard tests/$(p)/*.c),$(p)))
base_TEST      := base
store_TEST     := store base
search_TEST    := search base
evaluator_TEST := evaluator search base
daemon_TEST    := daemon store search base
client_TEST    := client base

define unit
$(OUT)/tests/test-$(1): $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/$(1)/*.c)) $(call archives,$($(1)_TEST))
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(CFLAGS_$(MODE)) $$^ -lcheck -lsubunit -lrt -lpthread $(call libraries,$($(1)_TEST)) -o $$@
.PHONY: check-$(1)
check-$(1): $(OUT)/tests/test-$(1)
	OUT=$(OUT) $(OUT)/tests/test-$(1)
endef
$(foreach p,$(UNIT_PARTS),$(eval $(call unit,$(p))))
