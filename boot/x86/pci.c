/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes bus mastering away from every PCI device. Until there is an IOMMU driver no
 * device belongs to anyone, and one that the firmware or a boot loader left active
 * could write to any memory. PCI Local Bus 3.0, 3.2.2.3.2 and 6.2.2.
 */
#include "platform.h"
#include "asm.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE (1u << 31)
#define REG_ID 0x00u
#define REG_COMMAND 0x04u
#define REG_HEADER 0x0cu
#define COMMAND_BUS_MASTER (1u << 2)
#define HEADER_MULTIFUNCTION (1u << 23)

static uint32_t read_config(uint32_t function, uint32_t reg)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | function << 8 | reg);
	return inl(CONFIG_DATA);
}

uint32_t pci_stop_bus_masters(void)
{
	uint32_t f, stopped = 0;

	/* Bus, device and function, as they lie in the address: 8, 5 and 3 bits. */
	for (f = 0; f < 1u << 16; f++) {
		uint32_t command;

		if (read_config(f, REG_ID) == 0xffffffff) {
			if (!(f & 7))
				f |= 7;       /* no function 0: no device */
			continue;
		}
		command = read_config(f, REG_COMMAND);
		if (command & COMMAND_BUS_MASTER) {
			/* The upper half holds status bits that a 1 would clear. */
			outl(CONFIG_ADDRESS, CONFIG_ENABLE | f << 8 | REG_COMMAND);
			outl(CONFIG_DATA, command & 0xffff & ~COMMAND_BUS_MASTER);
			stopped += !(read_config(f, REG_COMMAND) & COMMAND_BUS_MASTER);
		}
		if (!(f & 7) && !(read_config(f, REG_HEADER) & HEADER_MULTIFUNCTION))
			f |= 7;
	}
	return stopped;
}
