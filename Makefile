# pared -- one Makefile for everything. `make help` lists what it does.
MODE    ?= release
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
OUT     := build/$(MODE)
VERSION := 0.1.0

PARTS    := base store search evaluator daemon client
PACKAGES := gcc libc6-dev make libuv1-dev libmicrohttpd-dev libcurl4-openssl-dev libsqlite3-dev libcjson-dev \
            libprotobuf-c-dev protobuf-c-compiler libonnx-dev libdnnl-dev libopenblas-dev liblapacke-dev zlib1g-dev libpng-dev \
            libjpeg62-turbo-dev libsystemd-dev libssl-dev check procps sqlite3 curl mandoc systemd dataset-fashion-mnist

WARN   := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Werror
CFLAGS ?= -O2 -g
CFLAGS_release :=
CFLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -fsanitize=thread
CFLAGS_cov     := -O0 --coverage
ifeq ($(filter $(MODE),release asan tsan cov),)
$(error MODE=$(MODE): expected release, asan, tsan or cov)
endif
override CFLAGS += $(CFLAGS_$(MODE))
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -I. -I$(OUT)/gen $(WARN) $(CFLAGS)

# `make V=1` shows whole commands.
Q   := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

# What each part links with beyond libc; a program adds up those of its parts.
LIBS_base      := -lcjson -lcurl -lcrypto
LIBS_store     := -lsqlite3
LIBS_search    := -llapacke -lopenblas
LIBS_evaluator := -lprotobuf-c -ldnnl -lopenblas -lpng -ljpeg -lz -lpthread
LIBS_daemon    := -luv -lmicrohttpd -lsystemd
LIBS_client    :=

# Programs: parts in link order, the program's own first. Each has its main in PART/main.c.
PROGRAMS         := pared pare pare-worker
pared_PARTS      := daemon store search base
pare_PARTS       := client base
pare-worker_PARTS := evaluator base

sources   = $(sort $(wildcard $(1)/*.c $(1)/*/*.c))
objects   = $(patsubst %.c,$(OUT)/%.o,$(filter-out $(1)/main.c,$(call sources,$(1))))
libraries = $(foreach p,$(1),$(LIBS_$(p))) -lm
archives  = $(patsubst %,$(OUT)/lib%.a,$(1))

# Some goals start from nothing: they install what is missing before anything is built.
ifneq ($(filter check check-peers zoo zoo-candidates bench-load bench-evaluator bench-search demo,$(MAKECMDGOALS)),)
DEPS := deps
endif

.PHONY: all help deps demo check install layers clean
all: $(addprefix $(OUT)/,$(PROGRAMS))

help:
	@echo 'make               build pared, pare and pare-worker into $(OUT)/'
	@echo 'make deps          install the Debian packages that the build needs'
	@echo 'make demo          from a clone to a Pareto set of Fashion-MNIST models in a few minutes'
	@echo 'make check         all tests; MODE=asan under AddressSanitizer and UBSan'
	@echo 'make check-peers   compare with ONNX Runtime (npm) and PyTorch (Debian)'
	@echo 'make zoo           every classifier of torchvision compared with ONNX Runtime; ZOO=PATTERN: some'
	@echo 'make bench-load    how long models take to load, beside ONNX Runtime'
	@echo 'make bench-evaluator  training steps and inference beside PyTorch and ONNX Runtime'
	@echo 'make bench-search  our strategies beside Optuna; resumes where it was cut off'
	@echo 'make layers        check who includes whom, and the size of files'
	@echo 'make install       into $$(DESTDIR)$$(PREFIX)'

# ---- the parts, one archive each -------------------------------------------------------------------
define part
$(OUT)/lib$(1).a: $(call objects,$(1)) $(if $(filter evaluator,$(1)),$(OUT)/gen/onnx.pb-c.o)
	$$(call say,AR,$$@)
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
endef
$(foreach p,$(PARTS),$(eval $(call part,$(p))))

# Loops over numbers. Nobody looks at errno or at the flags of floating point; a product may be added without being
# rounded first, where the machine does that: the bits are the same on the same machine.
KERNEL_CFLAGS_release := -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast
$(OUT)/evaluator/kernels/%.o: ALL_CFLAGS += $(KERNEL_CFLAGS_$(MODE))
# Of the search too, but with the same bits whatever the machine can do.
$(OUT)/search/process.o: ALL_CFLAGS += $(KERNEL_CFLAGS_$(MODE)) -ffp-contract=off

$(OUT)/%.o: %.c | $(DEPS)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# ONNX's own schema, compiled by protoc-c. Generated code is not held to our warnings.
/usr/include/onnx/onnx.proto: | $(DEPS)
	@test -f $@ || { echo '$@ is missing: install libonnx-dev, or run make deps' >&2; exit 1; }
$(OUT)/gen/onnx.pb-c.c: /usr/include/onnx/onnx.proto
	@mkdir -p $(@D)
	$(call say,PROTO,$@)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(@D) $(<F)
$(OUT)/gen/onnx.pb-c.o: $(OUT)/gen/onnx.pb-c.c
	$(call say,CC,$@)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -I$(OUT)/gen -w $(CFLAGS) -c $< -o $@
$(call objects,evaluator) $(OUT)/evaluator/main.o: | $(OUT)/gen/onnx.pb-c.c

define program
$(OUT)/$(1): $(OUT)/$(firstword $($(1)_PARTS))/main.o $(call archives,$($(1)_PARTS))
	$$(call say,LINK,$$@)
	$(Q)$$(CC) $$(CFLAGS) $$^ $(call libraries,$($(1)_PARTS)) -o $$@
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

include tests/tests.mk
include tests/peers/peers.mk
include tests/zoo/zoo.mk
include bench/bench.mk

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)

# ---- what people run --------------------------------------------------------------------------------
deps:
	@missing=$$(for p in $(PACKAGES); do \
	    dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
	test -z "$$missing" && exit 0; \
	sudo=$$(test $$(id -u) = 0 || echo sudo); \
	$$sudo apt-get -q update && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing

demo: all
	@OUT=$(OUT) tests/demo.sh

layers:
	@tests/layers.sh

SYSCONFDIR ?= /etc
UNITDIR    ?= $(PREFIX)/lib/systemd
fill        = sed -e 's|@BINDIR@|$(PREFIX)/bin|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g'

# An edited configuration is kept.
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(SYSCONFDIR)/pared $(DESTDIR)$(UNITDIR)/system \
	    $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d \
	    $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8
	install $(addprefix $(OUT)/,$(PROGRAMS)) $(DESTDIR)$(PREFIX)/bin
	test -e $(DESTDIR)$(SYSCONFDIR)/pared/pared.json || \
	    install -m 644 configs/pared.json $(DESTDIR)$(SYSCONFDIR)/pared/pared.json
	$(fill) systemd/pared.service.in > $(DESTDIR)$(UNITDIR)/system/pared.service
	install -m 644 systemd/pared.socket $(DESTDIR)$(UNITDIR)/system
	install -m 644 systemd/pared.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/pared.conf
	install -m 644 systemd/pared.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/pared.conf
	for page in docs/man/*.[158]; do install -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}; done

clean:
	rm -rf build
