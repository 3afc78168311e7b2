/* SPDX-License-Identifier: Apache-2.0 */
#include "mutant.h"

#include <stdlib.h>

int mutant;

__attribute__((constructor)) static void mutant_choose(void)
{
	const char *chosen = getenv("MUTANT");

	mutant = chosen ? atoi(chosen) : 0;
}
