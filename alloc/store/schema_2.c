/* SPDX-License-Identifier: Apache-2.0 */
/* Version 2: tiers, credits, offers, reclaim, calls, and what no backend makes. Stores of it exist: what is
   to change is a later version (schema_3.c), never an edit here. */
#include "alloc/store/schema.h"

/* clang-format off */

/* A chip without a figure has no rating. What others refer to is made anew under another name, so that the
   references stay as they were written. */
static const char unrated[] =
    "CREATE TABLE flavor_new (pool INTEGER NOT NULL REFERENCES pool (id), place INTEGER NOT NULL, name TEXT NOT NULL,"
    "  rating_gflops INTEGER CHECK (rating_gflops > 0), attach TEXT NOT NULL CHECK (attach IN"
    "  ('pci', 'mdev', 'vf', 'vcpu', 'none', 'hand')), has_slots INTEGER NOT NULL CHECK (has_slots IN (0, 1)),"
    "  PRIMARY KEY (pool, name)) STRICT, WITHOUT ROWID;"
    "INSERT INTO flavor_new SELECT pool, place, name, rating_gflops, attach, has_slots FROM flavor;"
    "DROP TABLE flavor; ALTER TABLE flavor_new RENAME TO flavor;"
    "CREATE TABLE grant_line_new (tenant INTEGER NOT NULL, grant_id INTEGER NOT NULL, flavor TEXT NOT NULL,"
    "  units INTEGER NOT NULL CHECK (units >= 0), rating_gflops INTEGER CHECK (rating_gflops > 0),"
    "  PRIMARY KEY (tenant, grant_id, flavor)) STRICT, WITHOUT ROWID;"
    "INSERT INTO grant_line_new SELECT tenant, grant_id, flavor, units, rating_gflops FROM grant_line;"
    "DROP TABLE grant_line; ALTER TABLE grant_line_new RENAME TO grant_line;";

/* supply: raised whenever something may have come free for those that wait. */
static const char pool[] =
    "ALTER TABLE pool ADD COLUMN supply INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE service (pool INTEGER NOT NULL REFERENCES pool (id), name TEXT NOT NULL, PRIMARY KEY (pool, name))"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TABLE pool_metric (pool INTEGER NOT NULL REFERENCES pool (id), name TEXT NOT NULL, PRIMARY KEY (pool,"
    "  name)) STRICT, WITHOUT ROWID;";

/* How the policy sees each tenant: a cache, made anew when the policy, the day or the tenant changes. credits: in
   TFLOPS-days, as of `at`. */
static const char standing[] =
    "CREATE TABLE standing (pool INTEGER NOT NULL REFERENCES pool (id), tenant INTEGER NOT NULL REFERENCES tenant"
    "  (id), policy INTEGER NOT NULL, day INTEGER NOT NULL, eligible INTEGER NOT NULL CHECK (eligible IN (0, 1)),"
    "  tier TEXT, rule TEXT, rank INTEGER NOT NULL, weight INTEGER NOT NULL CHECK (weight > 0), guarantee_gflops"
    "  INTEGER NOT NULL CHECK (guarantee_gflops " COUNT "), PRIMARY KEY (pool, tenant)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE credit (pool INTEGER NOT NULL REFERENCES pool (id), tenant INTEGER NOT NULL REFERENCES tenant (id),"
    "  credits INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (pool, tenant)) STRICT, WITHOUT ROWID;";

/* Units, data lake and seats: held, and the ceilings on them. */
static const char holding[] =
    "CREATE TABLE holding (pool INTEGER NOT NULL REFERENCES pool (id), scope TEXT NOT NULL CHECK (scope IN"
    "  ('tenant', 'organisation')), owner INTEGER NOT NULL, item TEXT NOT NULL, held INTEGER NOT NULL CHECK (held"
    "  " BYTES "), most INTEGER, PRIMARY KEY (pool, scope, owner, item), CONSTRAINT item_ceiling CHECK (most IS NULL"
    "  OR held <= most)) STRICT, WITHOUT ROWID;"
    "INSERT INTO holding SELECT a.pool, 'tenant', g.tenant, a.item, sum(a.balance), NULL FROM account a JOIN grants g"
    "  ON g.id = a.grant_id AND g.pool = a.pool WHERE a.item LIKE 'unit/%' AND a.balance > 0 GROUP BY 1, 3, 4;"
    "INSERT INTO holding SELECT a.pool, 'organisation', t.organisation, a.item, sum(a.balance), NULL FROM account a"
    "  JOIN grants g ON g.id = a.grant_id AND g.pool = a.pool JOIN tenant t ON t.id = g.tenant WHERE a.item LIKE"
    "  'unit/%' AND a.balance > 0 GROUP BY 1, 3, 4;";

/* What is asked beside servers and volumes, and the way of a request through a call. replaces: a grant, given back
   when the new one stands. planned_supply: pool.supply when it was last planned. offer_past: compute of the last offer that it
   let pass. */
static const char request[] =
    "ALTER TABLE request ADD COLUMN datalake_bytes INTEGER NOT NULL DEFAULT 0 CHECK (datalake_bytes " BYTES ");"
    "ALTER TABLE request ADD COLUMN replaces INTEGER;"
    "ALTER TABLE request ADD COLUMN call INTEGER;"
    "ALTER TABLE request ADD COLUMN agreed_at INTEGER;"
    "ALTER TABLE request ADD COLUMN planned_supply INTEGER;"
    "ALTER TABLE request ADD COLUMN is_barrier INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE request ADD COLUMN offer_past_gflops INTEGER;"
    "CREATE INDEX request_waiting ON request (pool, flavor, call, units, compute_gflops, planned_supply,"
    "  state) WHERE state = 'queued';"
    "CREATE INDEX request_fresh ON request (pool, planned_supply) WHERE state = 'queued';"
    "CREATE TABLE request_seats (tenant INTEGER NOT NULL, request INTEGER NOT NULL, service TEXT NOT NULL, seats"
    "  INTEGER NOT NULL CHECK (seats > 0), PRIMARY KEY (tenant, request, service), FOREIGN KEY (tenant, request)"
    "  REFERENCES request (tenant, id)) STRICT, WITHOUT ROWID;";

/* An offer of a queued request: what it would take is set aside until it is taken or the time has passed. body: the
   decision that taking it makes; items as in the ledger. */
static const char offer[] =
    "CREATE TABLE offer (pool INTEGER NOT NULL REFERENCES pool (id), tenant INTEGER NOT NULL REFERENCES tenant (id),"
    "  request INTEGER NOT NULL UNIQUE, body TEXT NOT NULL, compute_gflops INTEGER NOT NULL CHECK (compute_gflops"
    "  " COUNT "), storage_bytes INTEGER NOT NULL CHECK (storage_bytes " BYTES "), until_at INTEGER NOT NULL, made_at"
    "  INTEGER NOT NULL, PRIMARY KEY (pool, tenant)) STRICT, WITHOUT ROWID;"
    /* A device is set aside with its offer: the number of its request. */
    "ALTER TABLE slot ADD COLUMN offer INTEGER;"
    "DROP INDEX slot_free; CREATE INDEX slot_free ON slot (pool, flavor, state, operation, offer, host, name)"
    "  WHERE operation IS NULL AND offer IS NULL;"
    "CREATE INDEX slot_by_offer ON slot (offer) WHERE offer IS NOT NULL;"
    "CREATE TABLE offer_line (pool INTEGER NOT NULL, tenant INTEGER NOT NULL, item TEXT NOT NULL, quantity INTEGER NOT"
    "  NULL CHECK (quantity > 0), PRIMARY KEY (pool, tenant, item), FOREIGN KEY (pool, tenant) REFERENCES offer (pool,"
    "  tenant)) STRICT, WITHOUT ROWID;";

/* Grants: the tier they were made by, agreements, swaps, lines that a person delivers. Nothing is made real before
   agreed_at where needs_agreement is set. */
static const char grants[] =
    "ALTER TABLE grants ADD COLUMN tier TEXT;"
    "ALTER TABLE grants ADD COLUMN replaces INTEGER;"
    "ALTER TABLE grants ADD COLUMN call INTEGER;"
    "ALTER TABLE grants ADD COLUMN needs_agreement INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE grants ADD COLUMN agreed_at INTEGER;"
    "CREATE INDEX grants_by_end ON grants (pool, end_at) WHERE state IN ('reserved', 'active', 'notice', 'grace');"
    "CREATE TABLE hand_line (tenant INTEGER NOT NULL, grant_id INTEGER NOT NULL, item TEXT NOT NULL, quantity INTEGER"
    "  NOT NULL CHECK (quantity > 0), state TEXT NOT NULL CHECK (state IN ('wanted', 'delivered', 'ending', 'ended')),"
    "  changed_at INTEGER NOT NULL, remark TEXT, PRIMARY KEY (tenant, grant_id, item)) STRICT, WITHOUT ROWID;";

/* Notices of reclaim. An effect without a delivered notice is impossible: message is what told the holder. */
static const char reclaim[] =
    "CREATE TABLE reclaim (id INTEGER PRIMARY KEY, pool INTEGER NOT NULL REFERENCES pool (id), tenant INTEGER NOT NULL"
    "  REFERENCES tenant (id), grant_id INTEGER NOT NULL, cause TEXT NOT NULL CHECK (cause IN ('grace', 'idle', 'debt',"
    "  'guarantee', 'loss', 'swap')), rule TEXT, flavor TEXT, units INTEGER NOT NULL CHECK (units >= 0),"
    "  compute_gflops INTEGER NOT NULL CHECK (compute_gflops " COUNT "), for_request INTEGER, evidence TEXT NOT NULL,"
    "  notice_s INTEGER NOT NULL, appeal_s INTEGER NOT NULL, sent_at INTEGER NOT NULL, effect_at INTEGER NOT NULL,"
    "  message INTEGER REFERENCES outbox (id), state TEXT NOT NULL CHECK (state IN ('noticed', 'appealed',"
    "  'withdrawn', 'done')), appeal TEXT, closed_at INTEGER, closed_by TEXT) STRICT;"
    "CREATE INDEX reclaim_open ON reclaim (pool, grant_id) WHERE state IN ('noticed', 'appealed');"
    "CREATE TABLE reclaim_operation (reclaim INTEGER NOT NULL REFERENCES reclaim (id), operation INTEGER NOT NULL,"
    "  PRIMARY KEY (reclaim, operation)) STRICT, WITHOUT ROWID;";

/* What was measured of a grant, in whole percents of its full use; keyed time first. */
static const char sample[] =
    "CREATE TABLE sample (at INTEGER NOT NULL, tenant INTEGER NOT NULL, grant_id INTEGER NOT NULL, metric TEXT NOT"
    "  NULL, seconds INTEGER NOT NULL CHECK (seconds > 0), percent INTEGER NOT NULL CHECK (percent BETWEEN 0 AND 100),"
    "  PRIMARY KEY (at, tenant, grant_id, metric)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX sample_by_grant ON sample (grant_id, metric, at);";

/* Calls. compute and storage: the call's own share of the pool. Scores in thousandths of a point. */
static const char call[] =
    "CREATE TABLE call (id INTEGER PRIMARY KEY, pool INTEGER NOT NULL REFERENCES pool (id), name TEXT NOT NULL UNIQUE,"
    "  state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'awarded', 'ended')), compute_gflops INTEGER CHECK"
    "  (compute_gflops " COUNT "), storage_bytes INTEGER CHECK (storage_bytes " BYTES "), opens_at INTEGER NOT NULL,"
    "  closes_at INTEGER, awarded_at INTEGER, sign_by INTEGER, made_by TEXT NOT NULL) STRICT;"
    /* What a request was given counts against the call's share until it declines or is out. */
    "CREATE TABLE call_request (call INTEGER NOT NULL REFERENCES call (id), tenant INTEGER NOT NULL, request INTEGER"
    "  NOT NULL, state TEXT NOT NULL CHECK (state IN ('entered', 'awarded', 'reserve', 'declined', 'out')), rank"
    "  INTEGER, compute_gflops INTEGER NOT NULL DEFAULT 0 CHECK (compute_gflops " COUNT "), storage_bytes INTEGER NOT"
    "  NULL DEFAULT 0 CHECK (storage_bytes " BYTES "), sign_by INTEGER, PRIMARY KEY (call, request), FOREIGN KEY"
    "  (tenant, request) REFERENCES request (tenant, id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE score (call INTEGER NOT NULL, request INTEGER NOT NULL, reviewer TEXT NOT NULL, score INTEGER NOT"
    "  NULL, remark TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (call, request, reviewer), FOREIGN KEY (call,"
    "  request) REFERENCES call_request (call, request)) STRICT, WITHOUT ROWID;";

/* A candidate that decides beside the active policy, for comparison only. */
static const char shadow[] =
    "CREATE TABLE shadow (pool INTEGER PRIMARY KEY REFERENCES pool (id), hash TEXT NOT NULL, stored TEXT NOT NULL,"
    "  made_at INTEGER NOT NULL, made_by TEXT NOT NULL) STRICT;";

const char *const store_schema_2[] = {unrated, pool,   standing, holding, request, offer,
                                      grants,  reclaim, sample,   call,    shadow,  NULL};
