/* SPDX-License-Identifier: Apache-2.0 */
/* Use: one sample a day, tenant and metric; windows for the rules about what lies idle. */
#include "policies/sim_parts.h"

#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

static unsigned char *use_at(const struct sim *s, size_t tenant, size_t metric, int64_t day) {
    return &s->tenants[tenant].use[metric * SIM_WINDOW + (size_t)(day % SIM_WINDOW)];
}

/* The samples of the day that has ended. */
void sim_use_day(struct sim *s, int64_t day) {
    const struct world *w = s->world;
    size_t bytes = w->n_metrics * SIM_WINDOW;
    if (w->n_uses == 0) return;
    for (size_t i = 0; i < s->n_tenants; i++) {
        if (!s->tenants[i].use) s->tenants[i].use = mem_alloc(bytes);
        for (size_t m = 0; m < w->n_metrics; m++) *use_at(s, i, m, day) = 0;
    }
    while (s->next_use < w->n_uses && w->uses[s->next_use].day < day) s->next_use++;
    for (; s->next_use < w->n_uses && w->uses[s->next_use].day == day; s->next_use++) {
        const struct world_use *u = &w->uses[s->next_use];
        *use_at(s, u->tenant, u->metric, day) = (unsigned char)(u->percent + 1);
    }
}

/* Over the whole days of the window on which the grant was there from their beginning. */
static struct fact_sample sample_of(const struct sim *s, const struct sim_grant *g, size_t metric,
                                    span_t window) {
    int64_t today = day_number(s->now), first = day_number(instant(g->start.s + CLOCK_DAY - 1));
    int64_t days = window.s / CLOCK_DAY, seen = 0, sum = 0, most = 0;
    if (days < 1) days = 1;
    if (days >= SIM_WINDOW) days = SIM_WINDOW - 1;
    for (int64_t day = today - days > first ? today - days : first; day < today; day++) {
        int64_t percent = (int64_t)*use_at(s, g->tenant, metric, day) - 1;
        if (percent < 0) continue;
        seen++;
        sum += percent;
        if (percent > most) most = percent;
    }
    return (struct fact_sample){.metric = s->world->metrics[metric],
                                .window = window,
                                .covered = seen * 100 / days,
                                .most = most,
                                .mean = seen ? sum / seen : 0};
}

static void samples_of(struct sim *s, size_t grant) {
    struct sim_grant *g = &s->grants[grant];
    const struct policy *y = s->policy;
    free(g->samples);
    g->samples = mem_alloc((y->n_idles + 1) * sizeof *g->samples);
    g->n_samples = 0;
    for (size_t i = 0; i < y->n_idles; i++) {
        size_t m = 0;
        while (m < s->world->n_metrics && strcmp(s->world->metrics[m], y->idles[i].metric.s) != 0) m++;
        bool is_done = m == s->world->n_metrics;
        for (size_t k = 0; k < g->n_samples && !is_done; k++)
            is_done = g->samples[k].metric == s->world->metrics[m] &&
                      g->samples[k].window.s == y->idles[i].window.s;
        if (!is_done) g->samples[g->n_samples++] = sample_of(s, g, m, y->idles[i].window);
    }
    sim_grant_facts(s, grant);
}

void sim_samples(struct sim *s) {
    if (s->world->n_uses == 0 || s->policy->n_idles == 0) return;
    for (size_t i = 0; i < s->n_live; i++) samples_of(s, s->live_of[i]);
}
