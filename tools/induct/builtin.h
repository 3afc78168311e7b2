/* SPDX-License-Identifier: Apache-2.0 */
/* What the bitcode calls that has no body: of the harness's (exec.h), and of the compiler's. */
#pragma once

#include "module.h"

/* Runs it; *out, of as many bits as the result has, may be left. False: there is none of this name. */
bool builtin(const struct function *f, const struct val *args, struct val *out);
