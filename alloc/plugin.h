/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backends are shared objects, opened when a pool first needs one, so that a command that needs none
 * does not pay for libvirt. backend-NAME.so is looked for beside the running program, then in the
 * installed library folder; nowhere else, and no environment variable changes that. A plug-in of
 * another build is refused. It is never closed: the pointer stays good until the program ends.
 */
#pragma once
#include "alloc/backend.h"

const struct backend *plugin_open(const char *name, struct err *e);
/* The same from a given folder only (for tests). */
const struct backend *plugin_open_from(const char *folder, const char *name, struct err *e);
