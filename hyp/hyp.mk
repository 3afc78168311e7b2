# SPDX-License-Identifier: Apache-2.0
# The hypervisor: nucleus and core are linked apart, checked, then put together.

HYP_CC ?= $(CC)
HYP_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -mgeneral-regs-only -mcmodel=kernel -fno-pic -no-pie \
	-mno-red-zone -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
	-fno-strict-aliasing -fno-common -fno-jump-tables \
	-Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -MMD -MP -Ihyp/include
NUCLEUS_INC := -Ihyp/nucleus/x86 -Ihyp/nucleus -Ihyp/lib
CORE_INC := -Ihyp/core/x86 -Ihyp/core -Ihyp/lib
HYP := $(B)/hyp

NUCLEUS_C := $(filter-out %_test.c %_fuzz.c %_model.c %_cost.c %_explore.c %_induct.c,$(wildcard hyp/nucleus/*.c hyp/nucleus/x86/*.c)) hyp/lib/string.c
CORE_C := $(filter-out %_test.c %_fuzz.c hyp/core/x86/test_%,$(wildcard hyp/core/*.c hyp/core/x86/*.c)) hyp/lib/string.c
SETUP_C := $(wildcard boot/x86/*.c)
SETUP_O := $(SETUP_C:%.c=$(HYP)/nucleus/%.o)
NUCLEUS_O := $(NUCLEUS_C:%.c=$(HYP)/nucleus/%.o)
CORE_O := $(CORE_C:%.c=$(HYP)/core/%.o)

$(HYP)/nucleus/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(HYP_CC) $(HYP_CFLAGS) $(NUCLEUS_INC) -c $< -o $@

$(HYP)/core/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $< (core)"
	@$(HYP_CC) $(HYP_CFLAGS) $(CORE_INC) -c $< -o $@

$(HYP)/%.o: %.S
	@mkdir -p $(@D)
	@echo "  AS      $<"
	@$(HYP_CC) -MMD -MP -Ihyp/include -Ihyp/nucleus/x86 -c $< -o $@

# In the nucleus, what is behind gate stub nuc_X is called gate_X.
$(HYP)/gate.syms: hyp/nucleus/x86/gate_calls.h
	@mkdir -p $(@D)
	@sed -n 's/^GATE_CALL(\(.*\))/nuc_\1 gate_\1/p' $< > $@

$(HYP)/nucleus.o: $(NUCLEUS_O) $(HYP)/gate.syms
	@ld -r $(NUCLEUS_O) -o $@
	@objcopy --redefine-syms=$(HYP)/gate.syms $@

# Boot code is the nucleus' too, but apart: it is unmapped when the boot is over.
$(HYP)/setup.o: $(SETUP_O) $(HYP)/gate.syms
	@ld -r $(SETUP_O) -o $@
	@objcopy --redefine-syms=$(HYP)/gate.syms $@

# The core shows its entry points and nothing else, so that no name of its own meets the nucleus'.
$(HYP)/core.o: $(CORE_O)
	@ld -r $(CORE_O) -o $@
	@objcopy --keep-global-symbol=core_boot --keep-global-symbol=core_cpu_up --keep-global-symbol=core_hypercall \
		--keep-global-symbol=core_exit --keep-global-symbol=core_event --keep-global-symbol=core_exits --keep-global-symbol=core_boot_info $@

$(HYP)/hyp.lds: boot/x86/hyp.lds hyp/include/gate_layout.h hyp/include/limits.h
	@mkdir -p $(@D)
	@$(HYP_CC) -E -P -x assembler-with-cpp -Ihyp/include $< -o $@

HYP_PARTS := $(HYP)/boot/x86/entry.o $(HYP)/hyp/nucleus/x86/gate.o $(HYP)/nucleus.o $(HYP)/setup.o $(HYP)/core.o

$(B)/ravelin-hyp.elf: $(HYP_PARTS) $(HYP)/hyp.lds
	@echo "  LINK    $@"
	@ld -nostdlib -static -z noexecstack -z max-page-size=4096 --no-warn-rwx-segments --build-id=none \
		-T $(HYP)/hyp.lds $(HYP_PARTS) -o $@
	@objdump -d $@ > $(B)/ravelin-hyp.asm

# The same with a core that attacks: tests/attack. It takes the place of some of the core's entries.
ATTACK_PARTS := $(HYP)/attack-core.o $(filter-out $(HYP)/core.o,$(HYP_PARTS))

$(HYP)/attack-core.o: $(CORE_O) $(HYP)/core/tests/attack/views.o
	@ld -r $(CORE_O) -o $(HYP)/honest.o
	@objcopy --redefine-sym core_event=honest_event --redefine-sym core_exit=honest_exit $(HYP)/honest.o
	@ld -r $(HYP)/honest.o $(HYP)/core/tests/attack/views.o -o $@
	@objcopy --keep-global-symbol=core_boot --keep-global-symbol=core_cpu_up --keep-global-symbol=core_hypercall \
		--keep-global-symbol=core_exit --keep-global-symbol=core_event --keep-global-symbol=core_exits --keep-global-symbol=core_boot_info $@

$(B)/ravelin-attack.elf: $(ATTACK_PARTS) $(HYP)/hyp.lds
	@echo "  LINK    $@"
	@ld -nostdlib -static -z noexecstack -z max-page-size=4096 --no-warn-rwx-segments --build-id=none \
		-T $(HYP)/hyp.lds $(ATTACK_PARTS) -o $@

-include $(HYP)/core/tests/attack/views.d
-include $(NUCLEUS_O:.o=.d) $(SETUP_O:.o=.d) $(CORE_O:.o=.d) $(HYP)/boot/x86/entry.d $(HYP)/hyp/nucleus/x86/gate.d
