#pragma once

#include "models/data/dataset.hpp"

namespace isthmus {

/// The user's own data: a folder with train_x, train_y, test_x and test_y as .npy, .npz, .csv or .idx, or
/// with train.csv and test.csv; or one .npz with these four arrays.
DataSetKind files_kind();

}  // namespace isthmus
