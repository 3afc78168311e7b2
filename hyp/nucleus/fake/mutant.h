/* SPDX-License-Identifier: Apache-2.0 */
/* Which bug is seeded into the view engine, for the test of the tests: $MUTANT says it. */
#pragma once

extern int mutant;
#define MUTANT mutant
