/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files into memory, with a limit. "-" is standard input. Nothing here writes: durable state
 * belongs to the store.
 */
#pragma once
#include "alloc/err.h"
#include "alloc/text.h"

#include <stddef.h>

/* Reads all of path into *out (zeroed by the caller, freed with text_free). ERR_NOT_FOUND when it is
   not there, ERR_USAGE when it holds more than `most` bytes or is a directory. out->s is never NULL
   after success. */
int file_read(const char *path, size_t most, struct text *out, struct err *e);
/* The name for messages: "standard input" for "-". */
const char *file_title(const char *path);
