/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold between the rows, a statement per promise. Where a grant's units and bytes stand by
 * its state is the table of allot-ledger(7):
 *   reserved, voiding     units and bytes reserved
 *   active, notice, grace units and bytes held
 *   releasing             units releasing, bytes kept
 *   kept                  bytes kept
 *   purging               bytes releasing
 *   ended, void           nothing
 * What a person delivers stands as hand_line says: wanted reserved, delivered held (the data lake kept, while
 * volumes are), ending releasing. A server or volume that is given back earlier stands in releasing whatever
 * the state. A unit or byte leaves the grant, its lines and its ceilings in the entry by which it comes free.
 */
#include "alloc/fsck.h"

#define LIMIT " LIMIT 51"

/* What grant g has of an item, in all its accounts: all that was not yet seen absent. */
#define ALL_OF(item_)                                                                                        \
    "(SELECT coalesce(sum(b.balance), 0) FROM account b WHERE b.pool = g.pool AND b.item = " item_           \
    " AND b.kind IN ('reserved', 'held', 'kept', 'releasing') AND b.grant_id = g.id)"
#define UNITS ALL_OF("'unit/' || l.flavor")
#define BYTES ALL_OF("'storage'")
/* Storage and data lake share one ceiling. */
#define UMBRELLA "(" BYTES " + " ALL_OF("'datalake'") ")"
/* What the backend has, or may have, of grant g. */
#define SERVERS                                                                                              \
    "(SELECT coalesce(sum(o.units), 0) FROM operation o WHERE o.grant_id = g.id AND o.flavor IS NOT NULL"    \
    " AND o.flavor = l.flavor AND o.observed <> 'absent')"
#define VOLUMES                                                                                              \
    "(SELECT coalesce(sum(o.bytes), 0) FROM operation o WHERE o.grant_id = g.id AND o.item = 'storage'"      \
    " AND o.observed <> 'absent')"
#define CONTAINERS                                                                                           \
    "(SELECT coalesce(sum(o.bytes), 0) FROM operation o WHERE o.grant_id = g.id AND o.item = 'datalake'"     \
    " AND o.observed <> 'absent')"
/* A person delivers these: see the rules of hand_line. */
#define NOT_BY_HAND                                                                                          \
    " AND NOT EXISTS (SELECT 1 FROM hand_line h WHERE h.tenant = g.tenant AND h.grant_id = g.id"             \
    " AND h.item = a.item)"
#define LINES " FROM grants g JOIN grant_line l ON l.tenant = g.tenant AND l.grant_id = g.id "

/* Compute that requests r ask for; units of any flavor count as nothing. */
#define ASKED                                                                                                \
    "min(1000000000000, coalesce(sum(coalesce(r.compute_gflops, r.units * (SELECT f.rating_gflops FROM"      \
    " flavor f WHERE f.pool = r.pool AND f.name = r.flavor), 0)), 0))"

/* clang-format off */

/* What the grants of each tenant and of each organisation take of its ceilings. */
#define TAKEN \
    "WITH taken AS (SELECT g.pool, g.tenant, t.organisation," \
    " (SELECT coalesce(sum(l.rating_gflops * " UNITS "), 0) FROM grant_line l" \
    "  WHERE l.tenant = g.tenant AND l.grant_id = g.id) AS gflops, " UMBRELLA " AS bytes" \
    " FROM grants g JOIN tenant t ON t.id = g.tenant WHERE g.state NOT IN ('ended', 'void'))," \
    " summed AS (SELECT pool, 'tenant' AS scope, tenant AS owner, sum(gflops) AS gflops, sum(bytes) AS bytes" \
    " FROM taken GROUP BY pool, tenant UNION ALL" \
    " SELECT pool, 'organisation', organisation, sum(gflops), sum(bytes) FROM taken GROUP BY pool, organisation) "

#define HELD \
    "WITH taken AS (SELECT a.pool, g.tenant, t.organisation, a.item, a.balance FROM account a JOIN grants g ON g.id =" \
    " a.grant_id AND g.pool = a.pool JOIN tenant t ON t.id = g.tenant WHERE a.balance <> 0 AND a.item <> 'storage')," \
    " summed AS (SELECT pool, 'tenant' AS scope, tenant AS owner, item, sum(balance) AS held FROM taken" \
    " GROUP BY pool, tenant, item UNION ALL" \
    " SELECT pool, 'organisation', organisation, item, sum(balance) FROM taken GROUP BY pool, organisation, item) "

const struct fsck_rule fsck_rules[] = {
    {"account",
     "SELECT 'pool number ' || pool || ', item ' || item || ': what came in and what is there differ by ' ||"
     " sum(balance) FROM account GROUP BY pool, item HAVING sum(balance) <> 0" LIMIT},
    {"account",
     "SELECT 'account ' || a.item || ' ' || a.kind || '(g-' || a.grant_id || ') is of no grant of pool number '"
     " || a.pool FROM account a WHERE a.grant_id > 0"
     " AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.id = a.grant_id AND g.pool = a.pool)" LIMIT},

    {"grant",
     "SELECT 'grant g-' || g.id || ' is ' || g.state || ', but ' || a.balance || ' of its ' || a.item || ' are '"
     " || a.kind FROM account a JOIN grants g ON g.id = a.grant_id AND g.pool = a.pool WHERE a.balance <> 0"
     " AND NOT ((g.state IN ('reserved', 'voiding') AND a.kind = 'reserved')"
     " OR (g.state IN ('active', 'notice', 'grace') AND a.kind IN ('held', 'releasing'))"
     " OR (g.state = 'releasing' AND a.item NOT IN ('storage', 'datalake') AND a.kind = 'releasing')"
     " OR (g.state IN ('releasing', 'kept') AND a.item IN ('storage', 'datalake') AND a.kind IN ('kept', 'releasing'))"
     " OR (g.state = 'purging' AND a.item IN ('storage', 'datalake') AND a.kind = 'releasing'))" NOT_BY_HAND LIMIT},
    /* What a person delivers stands where the line says, whatever the grant's state. */
    {"hand",
     "SELECT 'grant g-' || h.grant_id || ': ' || h.item || ' is ' || h.state || ' (' || h.quantity ||"
     " '), the accounts have ' || (SELECT coalesce(group_concat(a.kind || ' ' || a.balance, ', '), 'nothing')"
     " FROM account a WHERE a.pool = g.pool AND a.grant_id = g.id AND a.item = h.item AND a.balance <> 0)"
     " FROM hand_line h JOIN grants g ON g.tenant = h.tenant AND g.id = h.grant_id WHERE"
     " (SELECT count(*) FROM account a WHERE a.pool = g.pool AND a.grant_id = g.id AND a.item = h.item AND"
     " a.balance <> 0) <> (h.state <> 'ended') OR (h.state <> 'ended' AND NOT EXISTS (SELECT 1 FROM account a"
     " WHERE a.pool = g.pool AND a.grant_id = g.id AND a.item = h.item AND a.balance = h.quantity AND"
     " ((h.state = 'wanted' AND a.kind = 'reserved') OR (h.state = 'ending' AND a.kind = 'releasing') OR"
     " (h.state = 'delivered' AND a.kind = CASE WHEN g.state IN ('releasing', 'kept') THEN 'kept' ELSE 'held'"
     " END))))" LIMIT},
    {"hand",
     "SELECT 'grant g-' || h.grant_id || ' is ' || g.state || ' and its ' || h.item || ' is ' || h.state"
     " FROM hand_line h JOIN grants g ON g.tenant = h.tenant AND g.id = h.grant_id WHERE h.state <> 'ended'"
     " AND (g.state IN ('ended', 'void') OR (h.state = 'wanted' AND g.state IN ('releasing', 'kept',"
     " 'purging', 'voiding')))" LIMIT},
    {"grant",
     "SELECT 'grant g-' || g.id || ' is ' || g.state || ' with ' || l.units || ' of ' || l.flavor ||"
     " ', the accounts have ' || " UNITS LINES "WHERE l.units <> " UNITS LIMIT},
    {"grant",
     "SELECT 'account ' || a.item || ' ' || a.kind || '(g-' || a.grant_id || ') has ' || a.balance ||"
     " ', the grant has no such line' FROM account a JOIN grants g ON g.id = a.grant_id"
     " WHERE a.balance <> 0 AND a.item NOT IN ('storage', 'datalake') AND NOT EXISTS (SELECT 1 FROM grant_line l"
     " WHERE l.tenant = g.tenant AND l.grant_id = g.id AND 'unit/' || l.flavor = a.item)" NOT_BY_HAND LIMIT},
    {"grant",
     "SELECT 'grant g-' || g.id || ' says ' || g.compute_gflops || ' GF, its lines sum to ' ||"
     " coalesce(sum(l.units * l.rating_gflops), 0) || ' GF' FROM grants g"
     " LEFT JOIN grant_line l ON l.tenant = g.tenant AND l.grant_id = g.id"
     " GROUP BY g.tenant, g.id HAVING g.compute_gflops <> coalesce(sum(l.units * l.rating_gflops), 0)" LIMIT},
    {"grant",
     "SELECT 'grant g-' || g.id || ' is ' || g.state || ' with ' || g.storage_bytes ||"
     " ' bytes, the accounts have ' || " BYTES " FROM grants g WHERE g.storage_bytes <> " BYTES LIMIT},

    {"ceiling", TAKEN
     "SELECT s.scope || ' number ' || s.owner || ' in pool number ' || s.pool || ': its grants take ' ||"
     " s.gflops || ' GF and ' || s.bytes || ' bytes, the ceiling row says ' ||"
     " coalesce(c.compute_gflops || ' GF and ' || c.storage_bytes || ' bytes', 'nothing') FROM summed s"
     " LEFT JOIN ceiling c ON c.pool = s.pool AND c.scope = s.scope AND c.owner = s.owner"
     " WHERE s.gflops <> coalesce(c.compute_gflops, 0) OR s.bytes <> coalesce(c.storage_bytes, 0)" LIMIT},
    {"ceiling", TAKEN
     "SELECT c.scope || ' number ' || c.owner || ' in pool number ' || c.pool || ': the ceiling row says ' ||"
     " c.compute_gflops || ' GF and ' || c.storage_bytes || ' bytes, there is no live grant' FROM ceiling c"
     " WHERE (c.compute_gflops <> 0 OR c.storage_bytes <> 0) AND NOT EXISTS"
     " (SELECT 1 FROM summed s WHERE s.pool = c.pool AND s.scope = c.scope AND s.owner = c.owner)" LIMIT},

    /* The same for single items; storage has only the sums above. */
    {"ceiling", HELD
     "SELECT s.scope || ' number ' || s.owner || ' in pool number ' || s.pool || ': its grants have ' || s.held ||"
     " ' of ' || s.item || ', the row says ' || coalesce(h.held, 'nothing') FROM summed s LEFT JOIN holding h"
     " ON h.pool = s.pool AND h.scope = s.scope AND h.owner = s.owner AND h.item = s.item"
     " WHERE s.held <> coalesce(h.held, 0)" LIMIT},
    {"ceiling", HELD
     "SELECT h.scope || ' number ' || h.owner || ' in pool number ' || h.pool || ': the row says ' || h.held ||"
     " ' of ' || h.item || ', no grant has it' FROM holding h WHERE h.held <> 0 AND NOT EXISTS (SELECT 1 FROM summed s"
     " WHERE s.pool = h.pool AND s.scope = h.scope AND s.owner = h.owner AND s.item = h.item)" LIMIT},

    {"offer",
     "SELECT 'offers set aside ' || sum(l.quantity) || ' of ' || l.item || ' in pool number ' || l.pool || ', ' ||"
     " coalesce(a.balance, 0) || ' are free' FROM offer_line l LEFT JOIN account a ON a.pool = l.pool AND a.item = l.item"
     " AND a.kind = 'free' AND a.grant_id = 0 GROUP BY l.pool, l.item HAVING sum(l.quantity) > coalesce(a.balance, 0)" LIMIT},
    {"offer",
     "SELECT 'the offer of request r-' || o.request || ' is of no request that waits in that pool' FROM offer o"
     " WHERE NOT EXISTS (SELECT 1 FROM request r WHERE r.tenant = o.tenant AND r.id = o.request AND r.pool = o.pool"
     " AND r.state = 'queued')" LIMIT},
    {"offer",
     "SELECT 'slot ' || s.host || ' ' || s.name || ' (' || s.flavor || ') is set aside for request r-' || s.offer ||"
     " ', which has no offer' FROM slot s WHERE s.offer IS NOT NULL AND (s.operation IS NOT NULL OR NOT EXISTS"
     " (SELECT 1 FROM offer o WHERE o.request = s.offer AND o.pool = s.pool))" LIMIT},

    {"operation",
     "SELECT 'grant g-' || g.id || ': its servers have ' || " SERVERS " || ' of ' || l.flavor ||"
     " ', the accounts ' || " UNITS LINES "WHERE " SERVERS " <> " UNITS
     " AND NOT EXISTS (SELECT 1 FROM hand_line h WHERE h.tenant = g.tenant AND h.grant_id = g.id"
     " AND h.item = 'unit/' || l.flavor)" LIMIT},
    {"operation",
     "SELECT 'grant g-' || g.id || ': its volumes have ' || " VOLUMES " || ' bytes, the accounts ' || " BYTES
     " FROM grants g WHERE " VOLUMES " <> " BYTES LIMIT},
    {"operation",
     "SELECT 'grant g-' || g.id || ': its containers have ' || " CONTAINERS " || ' bytes, the accounts ' || "
     ALL_OF("'datalake'") " FROM grants g WHERE " CONTAINERS " <> " ALL_OF("'datalake'")
     " AND NOT EXISTS (SELECT 1 FROM hand_line h WHERE h.tenant = g.tenant AND h.grant_id = g.id"
     " AND h.item = 'datalake')" LIMIT},
    {"operation",
     "SELECT 'operation ' || o.id || ' of grant g-' || o.grant_id || ' is a ' || o.kind || ' and stands for ' || o.item"
     " FROM operation o WHERE NOT ((o.kind = 'server' AND o.flavor IS NOT NULL) OR (o.kind = 'volume' AND o.item ="
     " 'storage') OR (o.kind = 'container' AND o.item = 'datalake') OR (o.kind = 'quota' AND (o.flavor IS NOT NULL OR"
     " o.item IN ('storage', 'datalake'))))" LIMIT},
    {"operation",
     "SELECT 'operation ' || o.id || ' of grant g-' || o.grant_id || ' is a ' || o.kind || ', and pool ' || p.name ||"
     " ' delivers by ' || CASE WHEN p.capabilities & 16 THEN 'quota' ELSE 'instance' END FROM operation o JOIN pool p"
     " ON p.id = o.pool WHERE o.observed <> 'absent' AND (o.kind = 'quota') <> ((p.capabilities & 16) <> 0)" LIMIT},
    {"operation",
     "SELECT 'operation ' || o.id || ' of grant g-' || o.grant_id || ' has units of ' ||"
     " coalesce(o.flavor, 'no flavor') || ', the grant has no such line' FROM operation o"
     " WHERE o.flavor IS NOT NULL AND NOT EXISTS (SELECT 1 FROM grant_line l WHERE l.tenant = o.tenant"
     " AND l.grant_id = o.grant_id AND l.flavor = o.flavor)" LIMIT},
    {"operation",
     "SELECT 'operation ' || o.id || ' is of grant g-' || o.grant_id || ', which is not there or not of its"
     " tenant and pool' FROM operation o WHERE NOT EXISTS (SELECT 1 FROM grants g WHERE g.id = o.grant_id"
     " AND g.tenant = o.tenant AND g.pool = o.pool)" LIMIT},

    {"slot",
     "SELECT 'slot ' || s.host || ' ' || s.name || ' (' || s.flavor || ') belongs to operation ' ||"
     " s.operation || ', which is no live server of that pool, host and flavor' FROM slot s"
     " WHERE s.operation IS NOT NULL AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.id = s.operation"
     " AND o.pool = s.pool AND o.host = s.host AND o.flavor = s.flavor AND o.kind = 'server'"
     " AND o.observed <> 'absent')" LIMIT},
    /* A server without a host stands where slots are not seen one by one. */
    {"slot",
     "SELECT 'operation ' || o.id || ' of grant g-' || o.grant_id || ' has ' || o.units || ' units of ' ||"
     " o.flavor || ' and ' || (SELECT count(*) FROM slot s WHERE s.operation = o.id) || ' slots'"
     " FROM operation o WHERE o.kind = 'server' AND o.observed <> 'absent' AND o.host <> ''"
     " AND NOT EXISTS (SELECT 1 FROM pool p WHERE p.id = o.pool AND p.capabilities & 4)"
     " AND o.units <> (SELECT count(*) FROM slot s WHERE s.operation = o.id)" LIMIT},

    /* A tenant's project is its own, and all that it has in the pool is there. */
    {"project",
     "SELECT 'operation ' || o.id || ' of grant g-' || o.grant_id || ' stands at ' || o.host || ', project ' ||"
     " coalesce(h.name, 'none') || ' of pool ' || p.name || ' is that of its tenant' FROM operation o JOIN pool p ON"
     " p.id = o.pool LEFT JOIN host h ON h.pool = o.pool AND h.tenant = o.tenant WHERE p.capabilities & 4 AND"
     " o.observed <> 'absent' AND (h.name IS NULL OR h.name <> o.host)" LIMIT},
    {"project",
     "SELECT 'pool ' || p.name || ': tenant ' || t.name || ' was bound to a project ' || count(*) FILTER (WHERE e.kind ="
     " 'project.bind') || ' times and unbound ' || count(*) FILTER (WHERE e.kind = 'project.unbind') || ' times, and has"
     " ' || (SELECT count(*) FROM host h WHERE h.pool = p.id AND h.tenant = t.id) || ' now' FROM pool p JOIN entry e ON"
     " e.pool = p.id AND e.kind IN ('project.bind', 'project.unbind') JOIN tenant t ON t.id = e.tenant WHERE"
     " p.capabilities & 4 GROUP BY p.id, t.id HAVING count(*) FILTER (WHERE e.kind = 'project.bind') - count(*) FILTER"
     " (WHERE e.kind = 'project.unbind') <> (SELECT count(*) FROM host h WHERE h.pool = p.id AND h.tenant = t.id)" LIMIT},
    {"project",
     "SELECT 'pool ' || p.name || ': project ' || h.name || ' is bound, and no entry says so' FROM host h JOIN pool p ON"
     " p.id = h.pool WHERE h.tenant IS NOT NULL AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.tenant = h.tenant AND"
     " e.pool = h.pool AND e.kind = 'project.bind')" LIMIT},

    {"call",
     "SELECT 'call ' || c.name || ' gave ' || coalesce(sum(k.compute_gflops), 0) || ' GF and ' ||"
     " coalesce(sum(k.storage_bytes), 0) || ' bytes, more than its share' FROM call c JOIN call_request k"
     " ON k.call = c.id GROUP BY c.id HAVING sum(k.compute_gflops) > c.compute_gflops"
     " OR sum(k.storage_bytes) > c.storage_bytes" LIMIT},
    {"call",
     "SELECT 'request r-' || r.id || ' answers call number ' || r.call || ', which does not know it'"
     " FROM request r WHERE r.call IS NOT NULL AND NOT EXISTS (SELECT 1 FROM call_request k"
     " WHERE k.call = r.call AND k.request = r.id AND k.tenant = r.tenant)" LIMIT},
    {"call",
     "SELECT 'request r-' || k.request || ' is ' || k.state || ' in its call and ' ||"
     " coalesce(r.state, 'not there') FROM call_request k LEFT JOIN request r ON r.tenant = k.tenant"
     " AND r.id = k.request AND r.call = k.call WHERE NOT coalesce((k.state = 'awarded' AND r.state IN"
     " ('granted', 'held', 'queued')) OR (k.state IN ('entered', 'reserve') AND r.state IN ('held',"
     " 'returned', 'queued')) OR (k.state = 'declined' AND r.state = 'withdrawn') OR (k.state = 'out' AND"
     " r.state IN ('denied', 'withdrawn')), 0)" LIMIT},
    /* Kept so that a plan need not look at everybody. */
    {"standing",
     "SELECT 'pool number ' || p.id || ' has all standings of policy number ' || p.standing_policy ||"
     " ', but not that of tenant number ' || t.id FROM pool p JOIN tenant t ON t.state <> 'closed' LEFT JOIN"
     " standing s ON s.pool = p.id AND s.tenant = t.id AND s.policy = p.standing_policy AND s.day ="
     " p.standing_day WHERE p.standing_policy IS NOT NULL AND s.tenant IS NULL" LIMIT},
    {"waiting",
     "SELECT 'pool number ' || w.pool || ' has ' || w.requests || ' requests that wait for ' || w.compute_gflops"
     " || ' GF noted, there are ' || count(r.id) || ' for ' || " ASKED " FROM waiting w JOIN pool p ON p.id = w.pool"
     " AND p.supply = w.supply LEFT JOIN request r ON r.pool = w.pool AND r.state = 'queued' AND r.call IS NULL"
     " AND (r.planned_supply >= w.supply OR EXISTS (SELECT 1 FROM offer o WHERE o.request = r.id))"
     " WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.seq > w.seq AND e.kind <> 'request.submit')"
     " GROUP BY w.pool HAVING w.requests <> count(r.id) OR w.compute_gflops <> " ASKED LIMIT},

    /* I10: an effect without a delivered notice that had passed does not exist. A swap is the holder's own will. */
    {"reclaim",
     "SELECT 'notice n-' || c.id || ' of grant g-' || c.grant_id || ' took effect at ' || c.closed_at ||"
     " ', before its notice was delivered and had passed' FROM reclaim c LEFT JOIN outbox m ON m.id = c.message"
     " WHERE c.state = 'done' AND c.cause <> 'swap' AND (m.delivered_at IS NULL"
     " OR m.delivered_at + c.notice_s > c.closed_at OR c.effect_at > c.closed_at)" LIMIT},
    {"reclaim",
     "SELECT 'notice n-' || c.id || ' is ' || c.state || ' and names operation ' || x.operation ||"
     " ', which is no server of grant g-' || c.grant_id || ' that stays' FROM reclaim c JOIN reclaim_operation x"
     " ON x.reclaim = c.id WHERE c.state IN ('noticed', 'appealed') AND NOT EXISTS (SELECT 1 FROM operation o"
     " WHERE o.id = x.operation AND o.tenant = c.tenant AND o.grant_id = c.grant_id AND o.flavor IS NOT NULL"
     " AND o.desired = 'present')" LIMIT},
    {"reclaim",
     "SELECT 'notice n-' || c.id || ' is ' || c.state || ' over ' || c.units || ' units, its servers have ' ||"
     " coalesce(sum(o.units), 0) FROM reclaim c LEFT JOIN reclaim_operation x ON x.reclaim = c.id"
     " LEFT JOIN operation o ON o.id = x.operation WHERE c.state IN ('noticed', 'appealed')"
     " GROUP BY c.id HAVING c.units <> coalesce(sum(o.units), 0)" LIMIT},
    {"reclaim",
     "SELECT 'operation ' || x.operation || ' is named by two open notices, n-' || min(c.id) || ' and n-' ||"
     " max(c.id) FROM reclaim c JOIN reclaim_operation x ON x.reclaim = c.id WHERE c.state IN ('noticed',"
     " 'appealed') GROUP BY x.operation HAVING count(*) > 1" LIMIT},

    {"link",
     "SELECT 'request r-' || r.id || ' is ' || r.state || ' and names grant g-' || r.grant_id ||"
     " ', which is not there or not its own' FROM request r WHERE r.grant_id IS NOT NULL AND NOT EXISTS"
     " (SELECT 1 FROM grants g WHERE g.id = r.grant_id AND g.tenant = r.tenant AND g.pool = r.pool"
     " AND g.request = r.id)" LIMIT},
    /* A grant that became void may have been followed by another of the same request. */
    {"link",
     "SELECT 'grant g-' || g.id || ' is of request r-' || g.request || ', which is not there or names another"
     " grant' FROM grants g WHERE g.state NOT IN ('void', 'voiding') AND NOT EXISTS (SELECT 1 FROM request r"
     " WHERE r.tenant = g.tenant AND r.id = g.request AND r.grant_id = g.id)" LIMIT},
    {"link",
     "SELECT 'request r-' || id || ' is granted and names no grant' FROM request WHERE state = 'granted'"
     " AND grant_id IS NULL" LIMIT},
    {"link",
     "SELECT 'request r-' || r.id || ' names decision ' || r.decision || ', which is not there or not its own'"
     " FROM request r WHERE r.decision IS NOT NULL AND NOT EXISTS (SELECT 1 FROM decision d"
     " WHERE d.tenant = r.tenant AND d.id = r.decision AND d.request = r.id)" LIMIT},
    {"link",
     "SELECT 'decision ' || d.id || ' is about request r-' || d.request || ', which is not there'"
     " FROM decision d WHERE NOT EXISTS (SELECT 1 FROM request r WHERE r.tenant = d.tenant"
     " AND r.id = d.request)" LIMIT},
    {"link",
     "SELECT 'message ' || m.id || ' (' || m.kind || ') names grant g-' || m.grant_id ||"
     " ', which is not there or of another tenant' FROM outbox m WHERE m.grant_id <> 0 AND NOT EXISTS"
     " (SELECT 1 FROM grants g WHERE g.id = m.grant_id AND g.tenant = m.tenant)" LIMIT},
    {"link",
     "SELECT 'message ' || m.id || ' (' || m.kind || ') names request r-' || m.request ||"
     " ', which is not there or of another tenant' FROM outbox m WHERE m.request <> 0 AND NOT EXISTS"
     " (SELECT 1 FROM request r WHERE r.tenant = m.tenant AND r.id = m.request)" LIMIT},
    {"link",
     "SELECT 'entry ' || e.seq || ' names tenant number ' || e.tenant || ', which is not there' FROM entry e"
     " WHERE e.tenant <> 0 AND NOT EXISTS (SELECT 1 FROM tenant t WHERE t.id = e.tenant)" LIMIT},
    {"link",
     "SELECT 'entry ' || e.seq || ' names grant g-' || e.grant_id || ', which is not there or of another tenant'"
     " FROM entry e WHERE e.grant_id <> 0 AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.id = e.grant_id"
     " AND g.tenant = e.tenant)" LIMIT},
    {"link",
     "SELECT 'exception ' || x.id || ' names grant g-' || x.grant_id || ', which is not there' FROM exception x"
     " WHERE x.grant_id <> 0 AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.tenant = x.tenant"
     " AND g.id = x.grant_id)" LIMIT},
    {NULL, NULL},
};
