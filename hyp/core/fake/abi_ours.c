/* SPDX-License-Identifier: Apache-2.0 */
/* See abi_list.h. */
#include "xen_abi.h"
#include "abi_list.h"

const struct abi_fact abi_ours[] = { ABI_LIST };
