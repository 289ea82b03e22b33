using System.Numerics;
using System.Runtime.InteropServices;

namespace EdgeBroker.Core.Retained;

/// <summary>
/// Memory in blocks outside of the garbage collector's sight, so that a collection takes no longer the more there is of it. A slab is 64 KB of blocks of one
/// size; a block larger than an eighth of that is a mapping of its own. A slab without blocks is given back to the system at once. Not thread-safe: the lock of
/// whoever owns it covers every call and every use of a block.
/// </summary>
internal sealed unsafe partial class SlabHeap
{
    private const int SlabBytes = 64 * 1024;
    private const int LargestInSlab = SlabBytes / 8;

    // A handle is a slab's number and a block's number in it: 64 GB in slabs.
    private const int BlockBits = 12;
    private const int MostSlabs = 1 << (32 - BlockBits);

    // 16 to 128 bytes in steps of 16, then four sizes for each doubling.
    private const int Step = 16;
    private const int StepSizes = 8;
    private const int SizesPerDoubling = 4;
    private const int Sizes = StepSizes + (6 * SizesPerDoubling);

    // mmap's, the same on x64 and arm64.
    private const int Readable = 1;
    private const int Writable = 2;
    private const int Private = 2;
    private const int Anonymous = 0x20;

    private readonly int[] _withRoom = new int[Sizes];
    private readonly Stack<int> _unused = new();
    private Slab[] _slabs = new Slab[8];

    // Number 0 is none.
    private int _lastSlab;

    ~SlabHeap()
    {
        for (int i = 1; i <= _lastSlab; i++)
        {
            if (_slabs[i].Address != 0) Unmap(ref _slabs[i]);
        }
    }

    /// <summary>Bytes of the blocks in use, as large as they are.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Bytes taken from the system.</summary>
    public long MappedBytes { get; private set; }

    /// <summary>Takes a block.</summary>
    /// <param name="bytes">How large it is at least; what is in it is undefined.</param>
    /// <returns>Its handle; never 0.</returns>
    /// <exception cref="InsufficientMemoryException">There is no memory.</exception>
    public uint Allocate(int bytes)
    {
        if (bytes > LargestInSlab) return AllocateLarge(bytes);
        int size = SizeOf(bytes);
        int number = _withRoom[size];
        if (number == 0) number = AddSlab(size);
        ref Slab slab = ref _slabs[number];
        int block;
        if (slab.FirstFree != 0)
        {
            block = slab.FirstFree - 1;
            slab.FirstFree = *(ushort*)At(slab, block);
        }
        else
        {
            block = slab.Touched++;
        }

        if (++slab.Used == SlabBytes / slab.BlockBytes) RemoveFromRoom(number);
        UsedBytes += slab.BlockBytes;
        return ((uint)number << BlockBits) | (uint)block;
    }

    /// <summary>Gives a block back.</summary>
    public void Free(uint handle)
    {
        int number = (int)(handle >> BlockBits);
        ref Slab slab = ref _slabs[number];
        UsedBytes -= slab.BlockBytes;
        if (slab.BlockBytes > LargestInSlab)
        {
            Drop(number);
            return;
        }

        if (slab.Used-- == SlabBytes / slab.BlockBytes) AddToRoom(number);
        if (slab.Used == 0)
        {
            RemoveFromRoom(number);
            Drop(number);
            return;
        }

        int block = (int)(handle & ((1u << BlockBits) - 1));
        *(ushort*)At(slab, block) = slab.FirstFree;
        slab.FirstFree = (ushort)(block + 1);
    }

    /// <summary>Where a block is, aligned to 16 bytes; until it is given back.</summary>
    public byte* At(uint handle) => At(_slabs[handle >> BlockBits], (int)(handle & ((1u << BlockBits) - 1)));

    private static byte* At(in Slab slab, int block) => (byte*)slab.Address + ((long)block * slab.BlockBytes);

    /// <summary>The number of the smallest size that holds so many bytes.</summary>
    private static int SizeOf(int bytes)
    {
        if (bytes <= Step * StepSizes) return Math.Max(0, bytes - 1) / Step;
        // 129 to 160 is the first of four between 128 and 256.
        int doubling = BitOperations.Log2((uint)(bytes - 1)) - 7;
        int within = (bytes - 1 - (128 << doubling)) / (32 << doubling);
        return StepSizes + (doubling * SizesPerDoubling) + within;
    }

    private static int BytesOf(int size)
    {
        if (size < StepSizes) return (size + 1) * Step;
        int doubling = (size - StepSizes) / SizesPerDoubling;
        int within = (size - StepSizes) % SizesPerDoubling;
        return (128 << doubling) + ((within + 1) * (32 << doubling));
    }

    private uint AllocateLarge(int bytes)
    {
        int number = Map((bytes + Environment.SystemPageSize - 1) & -Environment.SystemPageSize, blockBytes: null);
        UsedBytes += _slabs[number].BlockBytes;
        return (uint)number << BlockBits;
    }

    private int AddSlab(int size)
    {
        int number = Map(SlabBytes, BytesOf(size));
        _slabs[number].Size = (byte)size;
        AddToRoom(number);
        return number;
    }

    private int Map(int bytes, int? blockBytes)
    {
        if (_unused.Count == 0 && _lastSlab == MostSlabs - 1) throw new InsufficientMemoryException("All block numbers are in use.");
        nint address = Map(0, (nuint)bytes, Readable | Writable, Private | Anonymous, -1, 0);
        if (address == -1) throw new InsufficientMemoryException($"The system has no {bytes} bytes more.");
        int number = _unused.Count > 0 ? _unused.Pop() : ++_lastSlab;
        if (number == _slabs.Length) Array.Resize(ref _slabs, 2 * number);
        _slabs[number] = new Slab { Address = address, BlockBytes = blockBytes ?? bytes };
        MappedBytes += bytes;
        return number;
    }

    private void Drop(int number)
    {
        Unmap(ref _slabs[number]);
        _unused.Push(number);
    }

    // It fails only where the system's table of mappings is full; then the memory is lost, and the address stays taken.
    private void Unmap(ref Slab slab)
    {
        int bytes = slab.BlockBytes > LargestInSlab ? slab.BlockBytes : SlabBytes;
        _ = Unmap(slab.Address, (nuint)bytes);
        MappedBytes -= bytes;
        slab = default;
    }

    private void AddToRoom(int number)
    {
        ref Slab slab = ref _slabs[number];
        int first = _withRoom[slab.Size];
        slab.Next = first;
        slab.Previous = 0;
        if (first != 0) _slabs[first].Previous = number;
        _withRoom[slab.Size] = number;
    }

    private void RemoveFromRoom(int number)
    {
        ref Slab slab = ref _slabs[number];
        if (slab.Previous != 0) _slabs[slab.Previous].Next = slab.Next;
        else _withRoom[slab.Size] = slab.Next;
        if (slab.Next != 0) _slabs[slab.Next].Previous = slab.Previous;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    private struct Slab
    {
        public nint Address;
        public int BlockBytes;

        // Of those of its size that have room.
        public int Previous;
        public int Next;
        public ushort Used;

        // Blocks in use or used before; the others' pages are not there yet.
        public ushort Touched;

        // Its number and one; 0: none.
        public ushort FirstFree;
        public byte Size;
    }
}
