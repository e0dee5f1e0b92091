#pragma once

#include "heng/insight_bert/encoder_file.h"
#include "heng/insight_bert/optimiser.h"
#include "heng/insight_bert/short_matrix.h"
#include "heng/insight_bert/transformer.h"
#include "heng/insight_bert/wordpiece.h"

namespace heng::insight_events {
using namespace insight_bert;  // the network is written in these blocks
using insight_bert::Random;     // not heng::Random
}
