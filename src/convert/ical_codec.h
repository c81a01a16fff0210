/*
 * Events, tasks and notes in iCalendar, for the engine.
 */
#ifndef PF_CONVERT_ICAL_CODEC_H
#define PF_CONVERT_ICAL_CODEC_H

#include "model/codec.h"

extern const struct pf_codec pf_ical_codec;

#endif
