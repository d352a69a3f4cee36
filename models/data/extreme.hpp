#pragma once

#include "models/data/dataset.hpp"

namespace isthmus {

/// The text format of the extreme classification repository (Bhatia et al. 2016,
/// http://manikvarma.org/downloads/XC/XMLRepository.html): a folder with train.txt and test.txt, the first
/// line of each `samples features labels`, each other a sample: `label,label feature:value feature:value`,
/// counted from 0. Samples without a label are left out.
DataSetKind extreme_kind();

}  // namespace isthmus
