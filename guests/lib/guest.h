/* SPDX-License-Identifier: Apache-2.0 */
/* All of the tiny guests' runtime. */
#pragma once

#include "acpi.h"
#include "altp2m.h"
#include "cpu.h"
#include "print.h"
#include "report.h"
#include "smp.h"
#include "trap.h"
#include "util.h"
#include "xen.h"
