/* SPDX-License-Identifier: Apache-2.0 */
/* ravelin-image build: manifest and hypervisor to one bootable ELF. */
#include "image.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_HYPERVISOR "build/ravelin-hyp.elf"

/* Writing over one's own input is never meant. */
static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

enum status command_build(int argc, char **argv)
{
	const char *hypervisor = DEFAULT_HYPERVISOR, *out = NULL;
	const uint8_t *pack;
	enum status status;
	struct plan *plan;
	uint64_t size;
	int option;

	while ((option = getopt(argc, argv, "qI:o:D:")) != -1) {
		switch (option) {
		case 'q':
			quiet = true;
			break;
		case 'I':
			hypervisor = optarg;
			break;
		case 'o':
			out = optarg;
			break;
		case 'D':
			if (!plan_define(optarg)) {
				return STATUS_MISTAKE;
			}
			break;
		default:
			return STATUS_MISTAKE;
		}
	}
	if (optind + 1 != argc || out == NULL) {
		complain("ravelin-image build: expected -o out.elf and one manifest");
		return STATUS_MISTAKE;
	}
	if (same_file(out, argv[optind]) || same_file(out, hypervisor)) {
		complain("%s: is an input of this very command; expected another output", out);
		return STATUS_MISTAKE;
	}
	plan = new_bytes(sizeof(*plan));
	status = plan_open(plan, argv[optind]);
	if (status != STATUS_OK) {
		return status;
	}
	pack = pack_make(plan, &size);
	say("packed %" PRIu32 " domain%s: %s", plan->domain_count, plan->domain_count == 1 ? "" : "s",
	    size_text(size));
	return image_write(hypervisor, out, pack, size);
}
