/* SPDX-License-Identifier: Apache-2.0 */
/* ravelin-image check: everything build does, but for the image. */
#include "image.h"

#include <inttypes.h>
#include <unistd.h>

enum status command_check(int argc, char **argv)
{
	enum status status;
	struct plan *plan;
	int option;

	while ((option = getopt(argc, argv, "qD:")) != -1) {
		switch (option) {
		case 'q':
			quiet = true;
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
	if (optind + 1 != argc) {
		complain("ravelin-image check: expected one manifest");
		return STATUS_MISTAKE;
	}
	plan = new_bytes(sizeof(*plan));
	status = plan_open(plan, argv[optind]);
	if (status == STATUS_OK) {
		say("%s: sound, %" PRIu32 " domain%s, %s", argv[optind], plan->domain_count,
		    plan->domain_count == 1 ? "" : "s", size_text(pack_measure(plan)));
	}
	return status;
}
