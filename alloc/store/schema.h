/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The migrations, a file for each. A migration is a list of pieces of SQL that ends with NULL and runs in one
 * transaction, without following foreign keys until all pieces have run.
 */
#pragma once
#include "alloc/store.h"

#define BYTES "BETWEEN 0 AND 4000000000000000000"
#define COUNT "BETWEEN 0 AND 1000000000000"

extern const char *const store_schema_2[], *const store_schema_3[];
