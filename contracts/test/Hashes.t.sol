// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Heads} from "../src/libraries/Heads.sol";

/// @notice The hand-laid preimages equal the written definition, for every input and whatever lies in memory.
contract HashesTest {
    function testFuzz_LoanKeyIsTheWrittenHash(uint32 lenderId, bytes32 nonce, bytes memory before) public view {
        _dirty(before);
        assert(Heads.loanKey(lenderId, nonce) == sha256(abi.encodePacked("loan-registry/v1", lenderId, nonce)));
    }

    function testFuzz_FirstHeadIsTheWrittenHash(bytes32 key, bytes32 commitment, bytes memory before) public view {
        _dirty(before);
        bytes memory written = abi.encodePacked(uint8(0x12), block.chainid, address(this), key, commitment);
        assert(Heads.first(key, commitment) == sha256(written));
    }

    function testFuzz_NextHeadIsTheWrittenHash(bytes32 head, uint8 kind, bytes32 commitment, bytes memory before)
        public
        view
    {
        _dirty(before);
        assert(Heads.next(head, kind, commitment) == sha256(abi.encodePacked(uint8(0x13), head, kind, commitment)));
    }

    function testFuzz_NextLenderHeadIsTheWrittenHash(bytes32 head, uint8 event_, bytes32 key, bytes memory before)
        public
        view
    {
        _dirty(before);
        assert(Heads.nextOfLender(head, event_, key) == sha256(abi.encodePacked(uint8(0x14), head, event_, key)));
    }

    /// @notice Hashing moves no free memory pointer and changes nothing already in memory.
    function testFuzz_HashingLeavesMemoryAlone(bytes32 head, bytes32 commitment, bytes memory before) public view {
        bytes32 content = keccak256(before);
        uint256 pointer;
        assembly { pointer := mload(0x40) }
        Heads.next(head, 2, commitment);
        Heads.first(head, commitment);
        Heads.loanKey(7, commitment);
        uint256 pointerAfter;
        assembly { pointerAfter := mload(0x40) }
        assert(pointer == pointerAfter && keccak256(before) == content);
    }

    /// @dev Garbage beyond the free memory pointer, which the hashes must overwrite wholly.
    function _dirty(bytes memory content) private pure {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mcopy(free, add(content, 32), mload(content))
        }
    }
}
