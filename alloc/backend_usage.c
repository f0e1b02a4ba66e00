/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/backend_usage.h"

#include <stdlib.h>

static void sample_free(struct backend_sample *s) {
    free(s->token);
    free(s->id);
    free(s->name);
    free(s->host);
    free(s->flavor);
}

static void meter_free(struct backend_meter *m) {
    free(m->host);
    free(m->source);
    free(m->name);
    free(m->unit);
    free(m->id);
    free(m->value);
}

void backend_usage_free(struct backend_usage *usage) {
    for (size_t i = 0; i < usage->n_samples; i++) sample_free(&usage->samples[i]);
    for (size_t i = 0; i < usage->n_meters; i++) meter_free(&usage->meters[i]);
    for (size_t i = 0; i < usage->n_hosts; i++) {
        free(usage->hosts[i].host);
        free(usage->hosts[i].detail);
    }
    free(usage->samples);
    free(usage->meters);
    free(usage->hosts);
    *usage = (struct backend_usage){0};
}

int64_t backend_sample_up(const struct backend_sample *s, instant_t since, instant_t until) {
    if (s->kind != BACKEND_SERVER || s->started.s == 0) return 0;
    int64_t from = larger(s->started.s, since.s);
    int64_t to = smaller(s->ended.s ? s->ended.s : s->at.s, until.s);
    return larger(to - from, 0);
}
