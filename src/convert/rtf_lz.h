/*
 * Compressed RTF ([MS-OXRTFCP]): what PidTagRtfCompressed holds.
 */
#ifndef PF_CONVERT_RTF_LZ_H
#define PF_CONVERT_RTF_LZ_H

#include "base/arena.h"
#include "base/err.h"

/*
 * The RTF within `in`, in `arena`. *whole is false where it is not all there, or not what was
 * packed: cut off, or with another checksum; *out is then what could be read. It is never longer
 * than nine times the input, whatever the header says. PF_FAIL (item scope): no header, or a way of
 * packing that is not known.
 */
PF_MUST_CHECK int pf_rtf_unpack(struct pf_span in, struct pf_arena *arena, struct pf_span *out,
	bool *whole, struct pf_err *err);

#endif
