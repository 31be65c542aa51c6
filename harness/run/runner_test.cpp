#include "harness/run/runner.h"

#include <gtest/gtest.h>

#include "harness/run/player.h"

namespace forkproof::run {
namespace {

Cell cell_of_nodes(std::size_t nodes) {
  Cell cell;
  cell.one.tree.children.resize(nodes - 1);
  return cell;
}

TEST(DescriptorsNeeded, OneForEachNodeOfTheLargestTree) {
  EXPECT_EQ(descriptors_needed({cell_of_nodes(3), cell_of_nodes(500)}), descriptors_needed({cell_of_nodes(500)}));
  EXPECT_EQ(descriptors_needed({cell_of_nodes(500)}), descriptors_needed({cell_of_nodes(400)}) + 100);
}

}  // namespace
}  // namespace forkproof::run
