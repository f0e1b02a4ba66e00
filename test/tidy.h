/* SPDX-License-Identifier: Apache-2.0 */
/* Included before each file that clang-tidy reads: it sees one file at a time and must be told what err_set()
 * promises. */
#pragma once
#include "alloc/err.h"
#define err_set(...) (err_set(__VA_ARGS__), -1)
