/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as JSON, for files that people write (allot.conf, clouds.yaml). One document; limits on bytes,
 * depth and nodes, where what an alias stands for counts again each time (a "bomb" ends quickly);
 * repeated keys refused; "<<" merged. Errors say title:line:column.
 *
 * Plain scalars are read as PyYAML reads them (YAML 1.1), because clouds.yaml is written for it: no,
 * off and False are false, ~ is null, 0x1f, 0b101 and 017 are integers. Three things stay text:
 * numbers with a fraction (nothing here counts in floats), times like 12:30, and integers that pass
 * 64 bits. Quoted scalars are always text.
 */
#pragma once
#include "alloc/err.h"

#include <jansson.h>
#include <stddef.h>

enum {
    YAML_BYTES_MOST = 1 << 20,
    YAML_DEPTH_MOST = 32,
    YAML_NODES_MOST = 100000,
};

/* An empty document is null. marks, unless NULL, receives where every value stands:
   [line, column, {key: mark} or [mark]]; hand it to json_at.marks, so that json_*() errors name the
   line. The caller owns both. NULL on failure. */
json_t *yaml_load_text(const char *bytes, size_t length, const char *title, json_t **marks, struct err *e);
json_t *yaml_load_path(const char *path, json_t **marks, struct err *e);
