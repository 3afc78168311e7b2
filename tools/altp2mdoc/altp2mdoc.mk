# SPDX-License-Identifier: Apache-2.0
# The tables in docs/altp2m.md, from the policy table of hyp/core/altp2m_policy.c.
#   make altp2m-doc         writes them
#   make check-altp2m-doc   fails when the committed ones differ

B ?= build
HOSTCC ?= gcc
ALTP2M_DOC := docs/altp2m.md
ALTP2M_DOC_CFLAGS := -std=gnu11 -O1 -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes \
	-iquote hyp/core -iquote hyp/include

$(B)/host/altp2mdoc: tools/altp2mdoc/altp2mdoc.c hyp/core/altp2m_policy.c hyp/core/altp2m_policy.h \
		hyp/include/altp2m_abi.h hyp/include/manifest.h
	@mkdir -p $(@D)
	$(HOSTCC) $(ALTP2M_DOC_CFLAGS) $(filter %.c,$^) -o $@

$(B)/altp2m.md: $(B)/host/altp2mdoc $(ALTP2M_DOC)
	$< <$(ALTP2M_DOC) >$@.new
	mv $@.new $@

.PHONY: altp2m-doc check-altp2m-doc
altp2m-doc: $(B)/altp2m.md
	cp $< $(ALTP2M_DOC)

check-altp2m-doc: $(B)/altp2m.md
	@diff -u $(ALTP2M_DOC) $< || \
		{ echo "the tables in docs/altp2m.md are not what the policy table says: make altp2m-doc"; exit 1; }
	@echo "docs/altp2m.md agrees with the policy table"
