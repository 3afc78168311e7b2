# SPDX-License-Identifier: Apache-2.0
# docs/emulation.md from the hypervisor's own tables.
#   make catalogue         writes it
#   make check-catalogue   fails when the committed one differs

B ?= build
HOSTCC ?= gcc
CATALOGUE := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
CATALOGUE_ROOT := $(CATALOGUE)/../..
CATALOGUE_DOC := $(CATALOGUE_ROOT)/docs/emulation.md
CATALOGUE_SOURCES := $(CATALOGUE)/catalogue.c $(CATALOGUE_ROOT)/hyp/core/hypercall.c \
	$(addprefix $(CATALOGUE_ROOT)/hyp/core/x86/,exit.c cpuid.c msr.c port.c)
# Static and not relocatable: what the tables' functions refer to links as 0.
CATALOGUE_FLAGS := -std=gnu11 -O1 -Wall -Wextra -Werror -fno-pie -no-pie -static \
	-Wl,--unresolved-symbols=ignore-all \
	-iquote $(CATALOGUE) \
	$(addprefix -iquote $(CATALOGUE_ROOT)/,hyp/core/x86 hyp/core hyp/core/fake hyp/include)

$(B)/host/catalogue: $(CATALOGUE_SOURCES) $(wildcard $(CATALOGUE)/*.h $(CATALOGUE_ROOT)/hyp/include/*.h \
		$(CATALOGUE_ROOT)/hyp/core/*.h $(CATALOGUE_ROOT)/hyp/core/x86/*.h)
	@mkdir -p $(@D)
	$(HOSTCC) $(CATALOGUE_FLAGS) $(CATALOGUE_SOURCES) -o $@

$(B)/emulation.md: $(B)/host/catalogue
	$< >$@.new
	mv $@.new $@

.PHONY: catalogue check-catalogue
catalogue: $(B)/emulation.md
	cp $< $(CATALOGUE_DOC)

check-catalogue: $(B)/emulation.md
	@diff -u $(CATALOGUE_DOC) $< || \
		{ echo "docs/emulation.md is not what the tables say: make catalogue"; exit 1; }
	@echo "docs/emulation.md agrees with the tables"
