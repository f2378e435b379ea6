// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ILoanRegistry} from "../src/interfaces/ILoanRegistry.sol";
import {Lifecycle} from "../src/libraries/Lifecycle.sol";

/// @notice What holds for the lifecycle whatever its table says.
contract LifecycleTest {
    function next(uint8 status, uint8 kind) external pure returns (uint8) {
        return Lifecycle.next(bytes32(uint256(1)), status, kind);
    }

    function testFuzz_AStatusIsNeverNoneNorUnknown(uint8 seed, uint8 kind) public view {
        (bool allowed, uint8 after_) = _try(1 + seed % 5, kind);
        if (allowed) assert(after_ >= Lifecycle.REGISTERED && after_ <= Lifecycle.CANCELLED);
    }

    function testFuzz_KindsAboveTheListAndOthersCallsKindsAreRefused(uint8 seed, uint8 kind) public view {
        if (kind > 15 || kind == 0 || kind == Lifecycle.TRANSFER) {
            (bool allowed,) = _try(1 + seed % 5, kind);
            assert(!allowed);
        }
    }

    function testFuzz_ACancelledLoanStaysCancelled(uint8 kind) public view {
        (bool allowed, uint8 after_) = _try(Lifecycle.CANCELLED, kind);
        if (allowed) assert(after_ == Lifecycle.CANCELLED);
    }

    function testFuzz_NothingLeadsBackToRegistered(uint8 seed, uint8 kind) public view {
        uint8 status = 2 + seed % 4;
        (bool allowed, uint8 after_) = _try(status, kind);
        if (allowed) assert(after_ != Lifecycle.REGISTERED);
    }

    function testFuzz_ARefusalNamesLoanKindAndStatus(uint8 seed, uint8 kind) public view {
        uint8 status = 1 + seed % 5;
        try this.next(status, kind) {}
        catch (bytes memory reason) {
            bytes32 loanKey = bytes32(uint256(1));
            bytes memory named = abi.encodeWithSelector(ILoanRegistry.KindNotAllowed.selector, loanKey, kind, status);
            assert(keccak256(reason) == keccak256(named));
        }
    }

    function _try(uint8 status, uint8 kind) private view returns (bool, uint8) {
        try this.next(status, kind) returns (uint8 after_) {
            return (true, after_);
        } catch {
            return (false, 0);
        }
    }
}
