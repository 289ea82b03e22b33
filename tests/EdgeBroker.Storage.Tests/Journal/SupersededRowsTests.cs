using EdgeBroker.Storage.Journal;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>In which order superseded rows are deleted.</summary>
public sealed class SupersededRowsTests
{
    private readonly SupersededRows _rows = new();

    public SupersededRowsTests()
    {
        foreach (long id in new long[] { 5, 1, 9, 3, 7 }) _rows.Add(id);
    }

    [Fact]
    public void The_oldest_go_first_as_many_as_are_wanted()
    {
        Assert.Equal([1, 3], _rows.Take(2, _ => false));
        _rows.RemoveTaken();
        Assert.Equal(3, _rows.Count);
        Assert.Equal([5, 7, 9], _rows.Take(10, _ => false));
        _rows.RemoveTaken();
        Assert.Equal(0, _rows.Count);
        Assert.Empty(_rows.Take(10, _ => false));
    }

    [Fact]
    public void What_a_failed_transaction_took_is_taken_again_in_its_place()
    {
        Assert.Equal([1, 3], _rows.Take(2, _ => false));
        _rows.Add(2);
        Assert.Equal(6, _rows.Count);
        Assert.Equal([1, 2, 3], _rows.Take(3, _ => false));
    }

    [Fact]
    public void None_goes_that_comes_behind_a_row_of_the_transaction_itself()
    {
        Assert.Equal([1, 3], _rows.Take(10, id => id == 5));
    }
}
