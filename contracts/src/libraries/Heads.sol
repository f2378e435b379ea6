// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title The registry's four SHA-256 hashes, each with its own first byte (the loan key with its own first word).
/// @dev The preimages are laid out by hand above the free memory pointer, which is left alone: `sha256(abi.encodePacked(…))`
/// allocates and copies for every record.
library Heads {
    /// @return key sha256("loan-registry/v1" || lenderId (4) || nonce (32))
    function loanKey(uint32 lenderId, bytes32 nonce) internal view returns (bytes32 key) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, or("loan-registry/v1", shl(96, lenderId)))
            mstore(add(p, 20), nonce)
            if iszero(staticcall(gas(), 2, p, 52, 0, 32)) { revert(0, 0) }
            key := mload(0)
        }
    }

    /// @return start sha256(0x12 || chain id (32) || registry (20) || loanKey (32) || commitment (32))
    function first(bytes32 key, bytes32 commitment) internal view returns (bytes32 start) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore8(p, 0x12)
            mstore(add(p, 1), chainid())
            mstore(add(p, 33), shl(96, address()))
            mstore(add(p, 53), key)
            mstore(add(p, 85), commitment)
            if iszero(staticcall(gas(), 2, p, 117, 0, 32)) { revert(0, 0) }
            start := mload(0)
        }
    }

    /// @return after_ sha256(0x13 || head (32) || kind (1) || commitment (32))
    function next(bytes32 head, uint8 kind, bytes32 commitment) internal view returns (bytes32 after_) {
        return _fold(0x13, head, kind, commitment);
    }

    /// @return after_ sha256(0x14 || lender head (32) || event (1) || loanKey (32))
    function nextOfLender(bytes32 head, uint8 event_, bytes32 key) internal view returns (bytes32 after_) {
        return _fold(0x14, head, event_, key);
    }

    function _fold(uint8 prefix, bytes32 head, uint8 tag, bytes32 word) private view returns (bytes32 folded) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore8(p, prefix)
            mstore(add(p, 1), head)
            mstore8(add(p, 33), tag)
            mstore(add(p, 34), word)
            if iszero(staticcall(gas(), 2, p, 66, 0, 32)) { revert(0, 0) }
            folded := mload(0)
        }
    }
}
