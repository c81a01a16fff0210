/*
 * Whose the addresses of a directory are, as an administrator exported it: a CSV file (Export-Csv
 * of LegacyExchangeDN and PrimarySmtpAddress, csvde, or two columns), or LDIF (ldifde, ldapsearch,
 * the administrator of Exchange 5.5). Read and checked whole before anything is done.
 */
#ifndef PF_PLAN_ADDRESS_MAP_H
#define PF_PLAN_ADDRESS_MAP_H

#include "base/err.h"
#include "model/addresses.h"

struct pf_address_map;

/*
 * PF_FAIL (scope RUN): it can't be read, or a line is not as it must be; names file and line, and
 * says what to do, and how many more lines are wrong. Entries without an address of both kinds are
 * passed over: a directory has many.
 */
PF_MUST_CHECK int pf_address_map_read(
	const char *path, struct pf_address_map **out, struct pf_err *err);
/* The same of text; `path` is for messages. */
PF_MUST_CHECK int pf_address_map_of_text(
	const char *path, struct pf_span text, struct pf_address_map **out, struct pf_err *err);
void pf_address_map_free(struct pf_address_map **map);
const struct pf_addresses *pf_address_map_addresses(const struct pf_address_map *map);
/* How many addresses it knows. */
size_t pf_address_map_count(const struct pf_address_map *map);

#endif
