/*
 * Contacts in vCard, for the engine.
 */
#ifndef PF_CONVERT_VCARD_CODEC_H
#define PF_CONVERT_VCARD_CODEC_H

#include "model/codec.h"

extern const struct pf_codec pf_vcard_codec;

#endif
