namespace EdgeBroker.Testing;

/// <summary>The broker did not do what a test expects of it.</summary>
public sealed class ExpectationException : Exception
{
    public ExpectationException(string message)
        : base(message)
    {
    }

    public ExpectationException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public ExpectationException()
    {
    }
}
