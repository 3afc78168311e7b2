/* SPDX-License-Identifier: Apache-2.0 */
/* See abi_list.h. The tools' view, as it has the numbers that guests may not use too. */
#define __XEN_TOOLS__ 1
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include "abi_list.h"

const struct abi_fact abi_theirs[] = { ABI_LIST };
