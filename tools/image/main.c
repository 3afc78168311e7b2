/* SPDX-License-Identifier: Apache-2.0 */
/* ravelin-image: the table of verbs. */
#include "image.h"

#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name;
	enum status (*run)(int argc, char **argv);
	const char *arguments;
	const char *help;
} commands[] = {
	{"build", command_build, "[-q] [-I hypervisor.elf] [-D NAME=path]... -o out.elf manifest.dts",
	 "check a manifest and join it, its kernels and ramdisks to the hypervisor"},
	{"check", command_check, "[-q] [-D NAME=path]... manifest.dts", "check a manifest and all it names"},
	{"disk", command_disk, "[-q] -l loader.bin -o disk.img image.elf",
	 "put an image on a disk that boots"},
	{"show", command_show, "image.elf|disk.img", "say what is in an image"},
};

static void usage(FILE *to, const struct command *only)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (only == NULL || only == &commands[i]) {
			fprintf(to, "usage: ravelin-image %s %s\n       %s\n", commands[i].name,
				commands[i].arguments, commands[i].help);
		}
	}
}

int main(int argc, char **argv)
{
	const struct command *c = NULL;
	enum status status;

	if (argc == 2 && (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)) {
		usage(stdout, NULL);
		return STATUS_OK;
	}
	for (uint32_t i = 0; argc >= 2 && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			c = &commands[i];
		}
	}
	if (c == NULL || argc == 2) {
		usage(stderr, c);
		return STATUS_MISTAKE;
	}
	status = c->run(argc - 1, argv + 1);
	/* A full disk behind stdout must not look like success. */
	if (fflush(stdout) != 0 && status == STATUS_OK) {
		complain("stdout: cannot be written");
		return STATUS_TROUBLE;
	}
	return status;
}
