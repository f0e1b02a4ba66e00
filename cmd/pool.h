/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the word "pool", between their files. */
#pragma once
#include "alloc/pool.h"
#include "cmd/command.h"

extern const struct command pool_commands[];

/* cmd/pool_declare.c */
int pool_add_run(struct call *call, struct err *e);
int pool_set_run(struct call *call, struct err *e);
extern const struct option pool_add_options[], pool_set_options[];

/* cmd/pool_words.c: options and file as one declaration. base NULL: a new pool of that name. *out is the
   caller's, also after a failure. */
int pool_words_read(struct call *call, const char *name, const struct pool_spec *base, struct pool_spec *out,
                    struct err *e);
/* The bytes of the file of --file, for the digest of the command; "" without. */
int pool_words_file(struct call *call, struct text *out, struct err *e);

/* cmd/pool_project.c */
int pool_bind_run(struct call *call, struct err *e);
int pool_unbind_run(struct call *call, struct err *e);
extern const struct option pool_bind_options[];

/* cmd/pool_run.c */
int pool_sync_run(struct call *call, struct err *e);
int pool_lose_run(struct call *call, struct err *e);
int pool_restore_run(struct call *call, struct err *e);
extern const struct option pool_lose_options[], pool_restore_options[];
