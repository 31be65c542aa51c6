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

// It may start its tree again until the arena holds too many.
TEST(DescriptorsNeeded, ACommandMayHaveAsManyAsAnArenaGives) {
  Cell cell = cell_of_nodes(3);
  cell.one.subject = Command{{"some"}};
  EXPECT_GT(descriptors_needed({cell}), most_processes(3));
  EXPECT_GT(most_processes(3), 1'000U);
}

}  // namespace
}  // namespace forkproof::run
