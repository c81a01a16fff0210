/*
 * What connections need of the loop.
 */
#ifndef PF_NET_LOOP_PRIVATE_H
#define PF_NET_LOOP_PRIVATE_H

#include "net/loop.h"

#include <uv.h>

uv_loop_t *pf_loop_uv(struct pf_loop *loop);
/* Something happened: the next wait returns at once. */
void pf_loop_stir(struct pf_loop *loop);

#endif
