/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cloud-init does on a server's first start: it lets the tenant's SSH keys in.
 */
#pragma once
#include "alloc/backend.h"
#include "alloc/text.h"

/* A cloud-config for the image's default user, or for `user`, made with sudo. Its content is JSON, which is
   YAML too, so there is nothing to escape. */
int userdata_build(const struct backend_operation *op, const char *user, struct text *out, struct err *e);
