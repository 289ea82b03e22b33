namespace EdgeBroker.Core.Topics;

/// <summary>What a <see cref="LevelTable{TNode}"/> refers to: the only child itself, or a table of several.</summary>
/// <param name="tag">Below 0: a child, and the hash of its level.</param>
internal abstract class LevelTableContent(int tag)
{
    /// <summary>The tag.</summary>
    protected readonly int Tag = tag;

    /// <summary>Whether it is a child. Asked on the way to every match, where asking for the type would cost more.</summary>
    public bool IsNode => Tag < 0;
}

/// <summary>One level of a topic tree: its text, its parent, and the levels below it.</summary>
/// <typeparam name="TNode">The node type of the tree itself.</typeparam>
internal abstract class LevelNode<TNode> : LevelTableContent
    where TNode : LevelNode<TNode>
{
    // A level's text is a part of the filter or topic it was made for, which is there anyway; but a long one is not kept for a short part of it.
    private const int LongestShared = 256;

    private readonly ushort _start;
    private readonly ushort _length;
    private readonly byte[] _text;

    /// <param name="text">A topic or filter, UTF-8, which does not change.</param>
    /// <param name="start">Where in it the level begins.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="parent">The level above; null at the root.</param>
    protected LevelNode(byte[] text, int start, int length, TNode? parent)
        : base(HashOf(text.AsSpan(start, length)))
    {
        bool isShared = text.Length <= LongestShared;
        _text = isShared ? text : text.AsSpan(start, length).ToArray();
        _start = (ushort)(isShared ? start : 0);
        _length = (ushort)length;
        Parent = parent;
    }

    /// <summary>The level's text, UTF-8.</summary>
    public ReadOnlySpan<byte> Level => _text.AsSpan(_start, _length);

    /// <summary><see cref="HashOf"/> the level.</summary>
    public int Hash => Tag;

    /// <summary>The level above; null at the root.</summary>
    public readonly TNode? Parent;

    /// <summary>The levels below.</summary>
    public LevelTable<TNode> Children;

    /// <summary>The hash of a level's text, below 0.</summary>
    public static int HashOf(ReadOnlySpan<byte> level) => LevelHash.Of(level) | int.MinValue;
}
